-- name: insert-observations
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO observations (id, entity, field, value, absent, source, class, ref, method, confidence, observed_at,
    fetched_at, cost_micros, request_id, run_id, used)
SELECT r.value->>'id', r.value->>'entity', r.value->>'field', r.value->>'value', r.value->>'absent',
    r.value->>'source', r.value->>'class', r.value->>'ref', r.value->>'method', r.value->>'confidence',
    r.value->>'observed_at', r.value->>'fetched_at', r.value->>'cost_micros', r.value->>'request_id',
    r.value->>'run_id', r.value->>'used'
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (id) DO UPDATE SET used = TRUE WHERE excluded.used AND NOT observations.used;

-- name: log-answers
-- As the general text, with SQLite's functions for JSON.
INSERT INTO answer_log (request_id, provider, domain, fetched_at, cost_micros, fields, used, observations)
SELECT r.value->>'request_id', r.value->>'provider', r.value->>'domain', r.value->>'fetched_at', r.value->>'cost_micros',
    r.value->>'fields', r.value->>'used', r.value->>'observations'
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (request_id) DO UPDATE SET used = json_patch(answer_log.used, excluded.used);

-- name: lock-links
-- The writer's transaction is the lock.
SELECT 1;

-- name: upsert-companies
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO companies (domain, facts, digest, updated_at)
SELECT r.value->>'domain', r.value->>'facts', r.value->>'digest', r.value->>'updated_at'
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (domain) DO UPDATE
SET facts = excluded.facts, digest = excluded.digest, updated_at = excluded.updated_at
WHERE companies.updated_at <= excluded.updated_at;

-- name: standing-observations
-- As the general text, with SQLite's function for a JSON list.
SELECT id, entity, field, value, absent, source, class, ref, method, confidence,
    observed_at, fetched_at, cost_micros, request_id, run_id
FROM (
    SELECT id, entity, field, value, absent, source, class, ref, method, confidence,
        observed_at, fetched_at, cost_micros, request_id, run_id,
        row_number() OVER (PARTITION BY entity, field, CASE WHEN class = 'form' AND source = 'form'
            AND field NOT IN ('company.technologies', 'company.tags') THEN '' ELSE id END
            ORDER BY observed_at DESC, id DESC) AS n
    FROM observations
    WHERE entity IN (SELECT value FROM json_each(:entities)) AND outdated = FALSE
      AND class NOT IN ('provider', 'crawl', 'inferred', '')) AS said
WHERE n = 1;

-- name: outdate-words
-- As the general text; nobody else writes.
UPDATE observations SET outdated = TRUE
WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY entity, field ORDER BY observed_at DESC, id DESC) AS n
        FROM observations
        WHERE entity IN (SELECT value FROM json_each(:entities)) AND outdated = FALSE AND class = 'form' AND source = 'form'
          AND field NOT IN ('company.technologies', 'company.tags'))
    WHERE n > 1 LIMIT 1000);

-- name: names-of-companies
-- As the general text, with SQLite's function for a JSON list.
SELECT a.domain AS asked, k.company_domain, k.domain, k.kind
FROM company_domains a JOIN company_domains k ON k.company_domain = a.company_domain
WHERE a.domain IN (SELECT value FROM json_each(:domains))
ORDER BY a.domain, CASE WHEN k.domain = k.company_domain THEN 0 ELSE 1 END, k.domain;

-- name: names-of-leads
-- As the general text, with SQLite's function for a JSON list.
SELECT l.id AS asked, k.company_domain, k.domain, k.kind
FROM leads l JOIN company_domains a ON a.domain = l.domain JOIN company_domains k ON k.company_domain = a.company_domain
WHERE l.id IN (SELECT value FROM json_each(:ids))
ORDER BY l.id, CASE WHEN k.domain = k.company_domain THEN 0 ELSE 1 END, k.domain;

-- name: digests-of-companies
-- As the general text, with SQLite's function for a JSON list.
SELECT domain, digest, updated_at FROM companies WHERE domain IN (SELECT value FROM json_each(:domains));
