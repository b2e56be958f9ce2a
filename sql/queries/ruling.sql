-- name: stored-decision
-- The decision of an epoch, whole.
SELECT body FROM decisions WHERE lead_id = :lead_id AND epoch = :epoch;

-- name: insert-decision
-- Decisions are immutable: a second one for the epoch is an error.
INSERT INTO decisions (lead_id, epoch, tier, score_tenths, lo_tenths, hi_tenths, coverage, confidence,
    settled, provisional, undecided, stop, rule, target, owner, territory, calls, cost_micros, took_us, decided_at, body)
VALUES (:lead_id, :epoch, :tier, :score, :lo, :hi, :coverage, :confidence,
    :settled, :provisional, :undecided, :stop, :rule, :target, :owner, :territory, :calls, :cost_micros, :took_us,
    :decided_at, :body);

-- name: insert-assignment
-- One per lead and epoch, with the credits that moved.
INSERT INTO assignments (lead_id, epoch, rep, pool, rule, target, status, counts, seq, day, credits,
    accept_by, touch_by, assigned_at)
VALUES (:lead_id, :epoch, :rep, :pool, :rule, :target, :status, :counts, :seq, :day, :credits,
    :accept_by, :touch_by, :assigned_at);

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
