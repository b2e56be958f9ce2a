-- name: stored-decision
-- The decision of an epoch, and the sheet that belongs to it.
SELECT d.body AS body, COALESCE(h.body, '') AS sheet FROM decisions d LEFT JOIN sheets h ON h.hash = d.sheet
WHERE lead_id = :lead_id AND epoch = :epoch;

-- name: hold-person
-- The person's open lead is with this rep from now on.
INSERT INTO person_owners (email_key, rep, source, lead_id, created_at)
VALUES (:email_key, :rep, :source, :lead_id, :now)
ON CONFLICT (email_key) DO UPDATE
SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id, created_at = excluded.created_at;

-- name: release-person
-- Nobody holds an open lead of the person.
DELETE FROM person_owners WHERE email_key = :email_key;

-- name: own-company
-- One row: first owner of the account. None: somebody was first; a parallel
-- first assignment waits here for the other's commit.
INSERT INTO company_owners (domain, rep, source, lead_id, created_at)
VALUES (:domain, :rep, :source, :lead_id, :now)
ON CONFLICT (domain) DO NOTHING;

-- name: owners
-- Who holds another open lead of the person, and who owns the company; empty
-- when nobody does. A company that came to its owner with this very lead does
-- not speak for it. The owner of an alias owns the company while it has none itself.
SELECT COALESCE((SELECT rep FROM person_owners WHERE email_key = :email_key AND lead_id <> :lead_id), '') AS person,
       COALESCE((SELECT rep FROM company_owners
                 WHERE lead_id <> :lead_id
                   AND domain IN (SELECT CAST(:domain AS text)
                                  UNION SELECT domain FROM company_domains WHERE company_domain = :domain)
                 ORDER BY CASE WHEN domain = :domain THEN 0 ELSE 1 END, created_at, domain LIMIT 1), '') AS company;

-- name: insert-decisions
-- Decisions are immutable: a second one for the epoch is an error.
INSERT INTO decisions (lead_id, epoch, tier, score_tenths, lo_tenths, hi_tenths, coverage, confidence, settled,
    provisional, undecided, stop, rule, target, owner, territory, calls, cost_micros, took_us, decided_at, sheet, body)
SELECT r.lead_id, r.epoch, r.tier, r.score, r.lo, r.hi, r.coverage, r.confidence, r.settled, r.provisional,
    r.undecided, r.stop, r.rule, r.target, r.owner, r.territory, r.calls, r.cost_micros, r.took_us, r.decided_at,
    r.sheet, r.body
FROM unnest(CAST(:lead_id AS text[]), CAST(:epoch AS integer[]), CAST(:tier AS text[]), CAST(:score AS bigint[]),
        CAST(:lo AS bigint[]), CAST(:hi AS bigint[]), CAST(:coverage AS double precision[]),
        CAST(:confidence AS double precision[]), CAST(:settled AS boolean[]), CAST(:provisional AS boolean[]),
        CAST(:undecided AS boolean[]), CAST(:stop AS text[]), CAST(:rule AS text[]), CAST(:target AS text[]),
        CAST(:owner AS text[]), CAST(:territory AS text[]), CAST(:calls AS integer[]), CAST(:cost_micros AS bigint[]),
        CAST(:took_us AS bigint[]), CAST(:decided_at AS bigint[]), CAST(:sheet AS text[]),
        CAST(:body AS text[]))
    AS r(lead_id, epoch, tier, score, lo, hi, coverage, confidence, settled, provisional, undecided, stop, rule, target,
        owner, territory, calls, cost_micros, took_us, decided_at, sheet, body);

-- name: insert-sheets
-- What decisions share, by its hash: what is there is the same.
INSERT INTO sheets (hash, body)
SELECT r.hash, r.body FROM unnest(CAST(:hash AS text[]), CAST(:body AS text[])) AS r(hash, body)
ON CONFLICT (hash) DO NOTHING;

-- name: insert-assignments
-- One per lead and epoch, with the credits that moved.
INSERT INTO assignments (lead_id, epoch, rep, pool, rule, target, status, counts, seq, day, credits, accept_by,
    touch_by, assigned_at)
SELECT r.lead_id, r.epoch, r.rep, r.pool, r.rule, r.target, r.status, r.counts, r.seq, r.day, r.credits, r.accept_by,
    r.touch_by, r.assigned_at
FROM unnest(CAST(:lead_id AS text[]), CAST(:epoch AS integer[]), CAST(:rep AS text[]), CAST(:pool AS text[]),
        CAST(:rule AS text[]), CAST(:target AS text[]), CAST(:status AS text[]), CAST(:counts AS boolean[]),
        CAST(:seq AS bigint[]), CAST(:day AS text[]), CAST(:credits AS text[]), CAST(:accept_by AS bigint[]),
        CAST(:touch_by AS bigint[]), CAST(:assigned_at AS bigint[]))
    AS r(lead_id, epoch, rep, pool, rule, target, status, counts, seq, day, credits, accept_by, touch_by, assigned_at);

-- name: hold-persons
-- Each person's open lead is with this rep from now on.
INSERT INTO person_owners (email_key, rep, lead_id, source, created_at)
SELECT r.email_key, r.rep, r.lead_id, :source, :now
FROM unnest(CAST(:email_key AS text[]), CAST(:rep AS text[]), CAST(:lead_id AS text[]))
    AS r(email_key, rep, lead_id)
ON CONFLICT (email_key) DO UPDATE
SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id, created_at = excluded.created_at;

-- name: holders
-- Who holds an open lead of these persons, and who owns a company by these domains.
SELECT TRUE AS person, email_key AS key, rep, lead_id, created_at FROM person_owners
WHERE email_key = ANY (CAST(:persons AS text[]))
UNION ALL
SELECT FALSE, domain, rep, lead_id, created_at FROM company_owners WHERE domain = ANY (CAST(:domains AS text[]));
