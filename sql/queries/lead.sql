-- name: key-answer
-- What the key was answered, and for which body.
SELECT body_hash, receipt FROM idempotency WHERE token = :token AND key = :key;

-- name: set-key-answer
-- Replaces the answer that was written with the claim.
UPDATE idempotency SET receipt = :receipt WHERE token = :token AND key = :key;

-- name: claim-person
-- One row: this lead is the first of its person and form since :since. None: it
-- is a repeat. The primary key makes parallel posts wait for the first commit,
-- on both databases and without an advisory lock.
INSERT INTO repeats (email_key, form, lead_id, created_at)
VALUES (:email_key, :form, :lead_id, :created_at)
ON CONFLICT (email_key, form) DO UPDATE
SET lead_id = excluded.lead_id, created_at = excluded.created_at
WHERE repeats.created_at <= :since;

-- name: touch-first-lead
-- Records the repeat on the first lead, unless that is :lead_id itself. No row when that lead was erased.
UPDATE leads SET touches = touches + CASE WHEN id = :lead_id THEN 0 ELSE 1 END, touched_at = CASE WHEN id = :lead_id THEN touched_at ELSE :now END
WHERE id = (SELECT lead_id FROM repeats WHERE email_key = :email_key AND form = :form)
RETURNING id, external_id, status;

-- name: known-person
-- Says whether somebody with this canonical e-mail is a lead: every lead of a person is, or was, the newest of its form.
SELECT EXISTS (SELECT 1 FROM repeats WHERE email_key = :email_key) AS known;

-- name: forget-keys
-- Drops the keys that need not be replayed any more.
DELETE FROM idempotency WHERE created_at <= :stale;

-- name: recall
-- Which of these hashes are suppressed, and which of these domains an account or
-- an answer that is held knows. (kind = '' would be read from the index of what goes stale, all of it.)
SELECT TRUE AS suppressed, hash AS key FROM suppressions WHERE hash = ANY (CAST(:hashes AS text[]))
UNION ALL
SELECT FALSE, domain FROM company_domains WHERE domain = ANY (CAST(:domains AS text[]))
UNION ALL
SELECT FALSE, domain FROM company_owners WHERE domain = ANY (CAST(:domains AS text[]))
UNION ALL
SELECT FALSE, domain FROM answers WHERE domain = ANY (CAST(:domains AS text[])) AND kind <> 'not_found';

-- name: decide-leads
-- Marks the leads decided. A lead whose later epoch has begun is left alone.
UPDATE leads SET status = 'decided', decided_at = r.at, epoch = r.epoch
FROM unnest(CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:at AS bigint[])) AS r(id, epoch, at)
WHERE leads.id = r.id AND leads.epoch <= r.epoch;

-- name: claim-keys
-- Returns the keys that are ours now: new, or forgotten (older than :stale). The
-- others were used before. A parallel claim of the same key waits here for our
-- commit.
INSERT INTO idempotency (token, key, body_hash, receipt, created_at)
SELECT r.token, r.key, r.body_hash, r.receipt, :now
FROM unnest(CAST(:token AS text[]), CAST(:key AS text[]), CAST(:body_hash AS text[]), CAST(:receipt AS text[]))
    AS r(token, key, body_hash, receipt)
ON CONFLICT (token, key) DO UPDATE
SET body_hash = excluded.body_hash, receipt = excluded.receipt, created_at = excluded.created_at
WHERE idempotency.created_at <= :stale
RETURNING token, key;

-- name: claim-persons
-- Returns the persons and forms whose lead is the first since :within before it.
-- The others are repeats. The primary key makes parallel posts wait for the first
-- commit, on both databases and without an advisory lock.
INSERT INTO repeats (email_key, form, lead_id, created_at)
SELECT r.email_key, r.form, r.lead_id, r.created_at
FROM unnest(CAST(:email_key AS text[]), CAST(:form AS text[]), CAST(:lead_id AS text[]), CAST(:created_at AS bigint[]))
    AS r(email_key, form, lead_id, created_at)
ON CONFLICT (email_key, form) DO UPDATE
SET lead_id = excluded.lead_id, created_at = excluded.created_at
WHERE repeats.created_at <= excluded.created_at - CAST(:within AS bigint)
RETURNING email_key, form;

-- name: insert-leads
-- Stores new leads; an id that exists is an error.
INSERT INTO leads (id, external_id, email, email_key, host, domain, verdict, codes, email_class, role, spendable,
    status, name, first_name, last_name, company, website, job_title, phone, country, form, source, utm, consent,
    fields, epoch, created_at, decided_at)
SELECT r.id, r.external_id, r.email, r.email_key, r.host, r.domain, r.verdict, r.codes, r.email_class, r.role,
    r.spendable, r.status, r.name, r.first_name, r.last_name, r.company, r.website, r.job_title, r.phone, r.country,
    r.form, r.source, r.utm, r.consent, r.fields, r.epoch, r.created_at, r.decided_at
FROM unnest(CAST(:id AS text[]), CAST(:external_id AS text[]), CAST(:email AS text[]), CAST(:email_key AS text[]),
        CAST(:host AS text[]), CAST(:domain AS text[]), CAST(:verdict AS text[]), CAST(:codes AS text[]),
        CAST(:email_class AS text[]), CAST(:role AS boolean[]), CAST(:spendable AS boolean[]),
        CAST(:status AS text[]), CAST(:name AS text[]), CAST(:first_name AS text[]), CAST(:last_name AS text[]),
        CAST(:company AS text[]), CAST(:website AS text[]), CAST(:job_title AS text[]), CAST(:phone AS text[]),
        CAST(:country AS text[]), CAST(:form AS text[]), CAST(:source AS text[]), CAST(:utm AS text[]),
        CAST(:consent AS text[]), CAST(:fields AS text[]), CAST(:epoch AS integer[]), CAST(:created_at AS bigint[]),
        CAST(:decided_at AS bigint[]))
    AS r(id, external_id, email, email_key, host, domain, verdict, codes, email_class, role, spendable, status, name,
        first_name, last_name, company, website, job_title, phone, country, form, source, utm, consent, fields, epoch,
        created_at, decided_at);

-- name: leads-named
-- Leads, without what was decided of them.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at
FROM leads l WHERE l.id = ANY (CAST(:ids AS text[]));

-- name: words-of-forms
-- What forms last said of each field of these companies.
SELECT DISTINCT ON (entity, field) entity, field, value, observed_at FROM observations
WHERE entity = ANY (CAST(:entities AS text[])) AND outdated = FALSE AND class = 'form' AND source = 'form' AND NOT absent
ORDER BY entity, field, observed_at DESC, id DESC;
