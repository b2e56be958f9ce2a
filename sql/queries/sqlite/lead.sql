-- name: recall
-- As the general text, with SQLite's function for a JSON list.
SELECT TRUE AS suppressed, hash AS key FROM suppressions WHERE hash IN (SELECT value FROM json_each(:hashes))
UNION ALL
SELECT FALSE, domain FROM company_domains WHERE domain IN (SELECT value FROM json_each(:domains))
UNION ALL
SELECT FALSE, domain FROM company_owners WHERE domain IN (SELECT value FROM json_each(:domains))
UNION ALL
SELECT FALSE, domain FROM answers WHERE domain IN (SELECT value FROM json_each(:domains)) AND kind <> 'not_found';

-- name: decide-leads
-- As the general text, with SQLite's function for a JSON list.
UPDATE leads SET status = 'decided', decided_at = r.value->>'at', epoch = r.value->>'epoch'
FROM json_each(:rows) AS r
WHERE leads.id = r.value->>'id' AND leads.epoch <= r.value->>'epoch';

-- name: claim-keys
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO idempotency (token, key, body_hash, receipt, created_at)
SELECT r.value->>'token', r.value->>'key', r.value->>'body_hash', r.value->>'receipt', :now
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (token, key) DO UPDATE
SET body_hash = excluded.body_hash, receipt = excluded.receipt, created_at = excluded.created_at
WHERE idempotency.created_at <= :stale
RETURNING token, key;

-- name: claim-persons
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO repeats (email_key, form, lead_id, created_at)
SELECT r.value->>'email_key', r.value->>'form', r.value->>'lead_id', r.value->>'created_at'
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (email_key, form) DO UPDATE
SET lead_id = excluded.lead_id, created_at = excluded.created_at
WHERE repeats.created_at <= excluded.created_at - :within
RETURNING email_key, form;

-- name: insert-leads
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO leads (id, external_id, email, email_key, host, domain, verdict, codes, email_class, role, spendable,
    status, name, first_name, last_name, company, website, job_title, phone, country, form, source, utm, consent,
    fields, epoch, created_at, decided_at)
SELECT r.value->>'id', r.value->>'external_id', r.value->>'email', r.value->>'email_key', r.value->>'host',
    r.value->>'domain', r.value->>'verdict', r.value->>'codes', r.value->>'email_class', r.value->>'role',
    r.value->>'spendable', r.value->>'status', r.value->>'name', r.value->>'first_name', r.value->>'last_name',
    r.value->>'company', r.value->>'website', r.value->>'job_title', r.value->>'phone', r.value->>'country',
    r.value->>'form', r.value->>'source', r.value->>'utm', r.value->>'consent', r.value->>'fields', r.value->>'epoch',
    r.value->>'created_at', r.value->>'decided_at'
FROM json_each(:rows) AS r;

-- name: leads-named
-- As the general text, with SQLite's function for a JSON list.
SELECT l.id, l.external_id, l.email, l.email_key, l.host, l.domain, l.verdict, l.codes, l.email_class,
       l.role, l.spendable, l.status, l.name, l.first_name, l.last_name, l.company, l.website, l.job_title,
       l.phone, l.country, l.form, l.source, l.utm, l.consent, l.fields, l.epoch, l.created_at, l.decided_at
FROM leads l WHERE l.id IN (SELECT value FROM json_each(:ids));

-- name: words-of-forms
-- As the general text; SQLite numbers the words of a field.
SELECT entity, field, value, observed_at FROM (
    SELECT entity, field, value, observed_at,
        row_number() OVER (PARTITION BY entity, field ORDER BY observed_at DESC, id DESC) AS n
    FROM observations
    WHERE entity IN (SELECT value FROM json_each(:entities)) AND outdated = FALSE AND class = 'form' AND source = 'form'
      AND NOT absent)
WHERE n = 1;
