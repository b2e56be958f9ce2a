-- name: company
-- A company that was decided on, or an account that is only owned. An alias
-- finds the company that it leads to.
SELECT c.domain AS domain, COALESCE(f.facts, '') AS facts, COALESCE(f.updated_at, 0) AS updated_at,
       COALESCE((SELECT o.rep FROM company_owners o LEFT JOIN company_domains a ON a.domain = o.domain
                 WHERE COALESCE(a.company_domain, o.domain) = c.domain
                 ORDER BY CASE WHEN o.domain = c.domain THEN 0 ELSE 1 END, o.created_at, o.domain LIMIT 1), '') AS rep
FROM (SELECT COALESCE(k.company_domain, known.domain) AS domain
      FROM (SELECT domain FROM companies WHERE domain = :domain
            UNION SELECT domain FROM company_domains WHERE domain = :domain
            UNION SELECT domain FROM company_owners WHERE domain = :domain) AS known
      LEFT JOIN company_domains k ON k.domain = known.domain) AS c
LEFT JOIN companies f ON f.domain = c.domain;

-- name: known-domains
-- The accounts, by every domain they are known by.
SELECT domain FROM company_domains ORDER BY domain;

-- name: insert-account
-- The domain belongs to an account from now on.
INSERT INTO company_domains (domain, company_domain, kind) VALUES (:domain, :domain, 'account')
ON CONFLICT (domain) DO NOTHING;

-- name: company-domains
-- Every domain of the company that the domain belongs to, its own first. None:
-- nobody ever said anything of the domain, so it is a company by itself.
SELECT company_domain, domain, kind FROM company_domains
WHERE company_domain = (SELECT company_domain FROM company_domains WHERE domain = :domain)
ORDER BY CASE WHEN domain = company_domain THEN 0 ELSE 1 END, domain;

-- name: lock-links
-- Nobody else adds or changes a link until the transaction ends; reading goes on.
LOCK TABLE company_domains IN SHARE ROW EXCLUSIVE MODE;

-- name: link-domain
-- The domain leads to the company from now on.
INSERT INTO company_domains (domain, company_domain, kind) VALUES (:domain, :company, :kind)
ON CONFLICT (domain) DO UPDATE SET company_domain = excluded.company_domain, kind = excluded.kind;

-- name: follow-domain
-- What led to the domain leads to its company: a chain is never longer than one link.
UPDATE company_domains SET company_domain = :company WHERE company_domain = :domain AND domain <> :domain
RETURNING domain;

-- name: set-account-owner
-- The CRM's word on who owns the account replaces ours.
INSERT INTO company_owners (domain, rep, source, lead_id, created_at) VALUES (:domain, :rep, 'crm', '', :now)
ON CONFLICT (domain) DO UPDATE SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id;

-- name: unset-account-owner
-- Nobody owns the account.
DELETE FROM company_owners WHERE domain = :domain;

-- name: insert-observations
-- Appends observations; one that is held already stays as it is, but for the
-- word that a decision rests on it.
INSERT INTO observations (id, entity, field, value, absent, source, class, ref, method, confidence, observed_at,
    fetched_at, cost_micros, request_id, run_id, used)
SELECT r.id, r.entity, r.field, r.value, r.absent, r.source, r.class, r.ref, r.method, r.confidence, r.observed_at,
    r.fetched_at, r.cost_micros, r.request_id, r.run_id, r.used
FROM unnest(CAST(:id AS text[]), CAST(:entity AS text[]), CAST(:field AS text[]), CAST(:value AS text[]),
        CAST(:absent AS boolean[]), CAST(:source AS text[]), CAST(:class AS text[]), CAST(:ref AS text[]),
        CAST(:method AS text[]), CAST(:confidence AS double precision[]), CAST(:observed_at AS bigint[]),
        CAST(:fetched_at AS bigint[]), CAST(:cost_micros AS bigint[]), CAST(:request_id AS text[]),
        CAST(:run_id AS text[]), CAST(:used AS boolean[]))
    AS r(id, entity, field, value, absent, source, class, ref, method, confidence, observed_at, fetched_at, cost_micros,
        request_id, run_id, used)
ON CONFLICT (id) DO UPDATE SET used = TRUE WHERE excluded.used AND NOT observations.used;

-- name: log-answers
-- Appends answers; of one that is held already only the fields on which a decision rests are added.
INSERT INTO answer_log (request_id, provider, domain, fetched_at, cost_micros, fields, used, observations)
SELECT r.request_id, r.provider, r.domain, r.fetched_at, r.cost_micros, r.fields, r.used, r.observations
FROM unnest(CAST(:request_id AS text[]), CAST(:provider AS text[]), CAST(:domain AS text[]), CAST(:fetched_at AS bigint[]),
        CAST(:cost_micros AS bigint[]), CAST(:fields AS text[]), CAST(:used AS text[]), CAST(:observations AS text[]))
    AS r(request_id, provider, domain, fetched_at, cost_micros, fields, used, observations)
ON CONFLICT (request_id) DO UPDATE
SET used = CAST(CAST(answer_log.used AS jsonb) || CAST(excluded.used AS jsonb) AS text)
WHERE NOT CAST(answer_log.used AS jsonb) @> CAST(excluded.used AS jsonb);

-- name: standing-observations
-- What counts from the start for these leads and companies: everything but what
-- vendors said, which enters a decision only through the plan. Of what forms said of
-- a field the last word alone counts, but for lists, which add up; and strangers may
-- say as much as they like: what outdate-words has marked is not even read.
SELECT id, entity, field, value, absent, source, class, ref, method, confidence,
    observed_at, fetched_at, cost_micros, request_id, run_id
FROM (
    SELECT id, entity, field, value, absent, source, class, ref, method, confidence,
        observed_at, fetched_at, cost_micros, request_id, run_id,
        row_number() OVER (PARTITION BY entity, field, CASE WHEN class = 'form' AND source = 'form'
            AND field NOT IN ('company.technologies', 'company.tags') THEN '' ELSE id END
            ORDER BY observed_at DESC, id DESC) AS n
    FROM observations
    WHERE entity = ANY (CAST(:entities AS text[])) AND outdated = FALSE AND class NOT IN ('provider', 'crawl', 'inferred', '')) AS said
WHERE n = 1;

-- name: outdate-words
-- Marks what forms said of these companies before their last word of a field. It waits
-- for nobody: what another transaction holds, and what is too much at once, is marked
-- with a later word.
UPDATE observations SET outdated = TRUE
WHERE id = ANY (ARRAY(
    SELECT id FROM observations WHERE id = ANY (ARRAY(
        SELECT id FROM (
            SELECT id, row_number() OVER (PARTITION BY entity, field ORDER BY observed_at DESC, id DESC) AS n
            FROM observations
            WHERE entity = ANY (CAST(:entities AS text[])) AND outdated = FALSE AND class = 'form' AND source = 'form'
              AND field NOT IN ('company.technologies', 'company.tags')) AS said
        WHERE n > 1 LIMIT 1000))
    FOR UPDATE SKIP LOCKED));

-- name: upsert-companies
-- Keeps the newer facts, whole: merging made them of all observations.
INSERT INTO companies (domain, facts, digest, updated_at)
SELECT r.domain, r.facts, r.digest, r.updated_at
FROM unnest(CAST(:domain AS text[]), CAST(:facts AS text[]), CAST(:digest AS text[]), CAST(:updated_at AS bigint[]))
    AS r(domain, facts, digest, updated_at)
ON CONFLICT (domain) DO UPDATE
SET facts = excluded.facts, digest = excluded.digest, updated_at = excluded.updated_at
WHERE companies.updated_at <= excluded.updated_at;

-- name: names-of-companies
-- Every domain of the companies that these domains belong to, a company's own first.
SELECT a.domain AS asked, k.company_domain, k.domain, k.kind
FROM company_domains a JOIN company_domains k ON k.company_domain = a.company_domain
WHERE a.domain = ANY (CAST(:domains AS text[]))
ORDER BY a.domain, CASE WHEN k.domain = k.company_domain THEN 0 ELSE 1 END, k.domain;

-- name: names-of-leads
-- The same of the companies that leads come from, asked by their ids.
SELECT l.id AS asked, k.company_domain, k.domain, k.kind
FROM leads l JOIN company_domains a ON a.domain = l.domain JOIN company_domains k ON k.company_domain = a.company_domain
WHERE l.id = ANY (CAST(:ids AS text[]))
ORDER BY l.id, CASE WHEN k.domain = k.company_domain THEN 0 ELSE 1 END, k.domain;

-- name: digests-of-companies
-- What is said of these companies, in short, and since when.
SELECT domain, digest, updated_at FROM companies WHERE domain = ANY (CAST(:domains AS text[]));
