-- name: upsert-company
-- Keeps the newer facts, whole: merging made them of all observations.
INSERT INTO companies (domain, facts, updated_at) VALUES (:domain, :facts, :updated_at)
ON CONFLICT (domain) DO UPDATE SET facts = excluded.facts, updated_at = excluded.updated_at
WHERE companies.updated_at <= excluded.updated_at;

-- name: company
-- A company that was decided on, or an account that is only owned.
SELECT c.domain AS domain, COALESCE(f.facts, '') AS facts, COALESCE(o.rep, '') AS rep,
       COALESCE(f.updated_at, 0) AS updated_at
FROM (SELECT domain FROM companies WHERE domain = :domain
      UNION SELECT domain FROM company_domains WHERE domain = :domain
      UNION SELECT domain FROM company_owners WHERE domain = :domain) AS c
LEFT JOIN companies f ON f.domain = c.domain
LEFT JOIN company_owners o ON o.domain = c.domain;

-- name: known-domains
-- The accounts, by every domain they are known by.
SELECT domain FROM company_domains ORDER BY domain;

-- name: insert-account
-- The domain belongs to an account from now on.
INSERT INTO company_domains (domain, company_domain, kind) VALUES (:domain, :domain, 'account')
ON CONFLICT (domain) DO NOTHING;

-- name: set-account-owner
-- The CRM's word on who owns the account replaces ours.
INSERT INTO company_owners (domain, rep, source, lead_id, created_at) VALUES (:domain, :rep, 'crm', '', :now)
ON CONFLICT (domain) DO UPDATE SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id;

-- name: unset-account-owner
-- Nobody owns the account.
DELETE FROM company_owners WHERE domain = :domain;

-- name: insert-observations
-- Appends observations; one that is held already stays as it is.
INSERT INTO observations (id, entity, field, value, absent, source, class, ref, method, confidence,
    observed_at, fetched_at, cost_micros, request_id, run_id)
SELECT r.id, r.entity, r.field, r.value, r.absent, r.source, r.class, r.ref, r.method, r.confidence,
    r.observed_at, r.fetched_at, r.cost_micros, r.request_id, r.run_id
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, entity text, field text, value text, absent boolean,
    source text, class text, ref text, method text, confidence double precision,
    observed_at bigint, fetched_at bigint, cost_micros bigint, request_id text, run_id text)
ON CONFLICT (id) DO NOTHING;

-- name: standing-observations
-- What counts from the start for a lead and its company: everything but what
-- vendors said, which enters a decision only through the plan.
SELECT id, entity, field, value, absent, source, class, ref, method, confidence,
    observed_at, fetched_at, cost_micros, request_id, run_id
FROM observations
WHERE entity IN (:lead, :domain) AND class NOT IN ('provider', 'crawl', 'inferred', '')
ORDER BY observed_at, id;
