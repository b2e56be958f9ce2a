-- name: claim-key
-- One row: the key is ours, or was forgotten (older than :stale). None: it was
-- used before. A parallel claim of the same key waits here for our commit.
INSERT INTO idempotency (token, key, body_hash, receipt, created_at)
VALUES (:token, :key, :body_hash, :receipt, :now)
ON CONFLICT (token, key) DO UPDATE
SET body_hash = excluded.body_hash, receipt = excluded.receipt, created_at = excluded.created_at
WHERE idempotency.created_at <= :stale;

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
-- Records the repeat on the first lead. No row when that lead was erased.
UPDATE leads SET touches = touches + 1, touched_at = :now
WHERE id = (SELECT lead_id FROM repeats WHERE email_key = :email_key AND form = :form)
RETURNING id, external_id, status;

-- name: insert-lead
-- Stores a new lead; an id that exists is an error.
INSERT INTO leads (id, external_id, email, email_key, host, domain, verdict, codes, email_class,
    role, spendable, status, name, first_name, last_name, company, website, job_title,
    phone, country, form, source, utm, consent, fields, epoch, created_at, decided_at)
VALUES (:id, :external_id, :email, :email_key, :host, :domain, :verdict, :codes, :email_class,
    :role, :spendable, :status, :name, :first_name, :last_name, :company, :website, :job_title,
    :phone, :country, :form, :source, :utm, :consent, :fields, :epoch, :created_at, :decided_at);

-- name: lead
-- One lead, without what was decided of it.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at
FROM leads l WHERE l.id = :id;

-- name: decide-lead
-- Marks the lead decided. No row when a later epoch has begun.
UPDATE leads SET status = 'decided', decided_at = :now, epoch = :epoch
WHERE id = :id AND epoch <= :epoch;

-- name: forget-keys
-- Drops the keys that need not be replayed any more.
DELETE FROM idempotency WHERE created_at <= :stale;

-- name: recall
-- Is any of these hashes (JSON list) suppressed, and is the domain known by an
-- account or by an answer that is held?
SELECT EXISTS (SELECT 1 FROM suppressions WHERE hash IN (
           SELECT value FROM jsonb_array_elements_text(CAST(:hashes AS jsonb)))) AS suppressed,
       (EXISTS (SELECT 1 FROM company_domains WHERE domain = :domain)
           OR EXISTS (SELECT 1 FROM company_owners WHERE domain = :domain)
           OR EXISTS (SELECT 1 FROM answers WHERE domain = :domain AND kind = '')) AS known;

-- name: suppress
-- Keeps the first reason.
INSERT INTO suppressions (hash, reason, created_at) VALUES (:hash, :reason, :now)
ON CONFLICT (hash) DO NOTHING;
