-- name: resolve-conflict
-- A person ends one conflict. No row when it is not open any more.
UPDATE conflicts SET status = 'resolved', resolved_by = :resolved_by, updated_at = :now
WHERE id = :id AND status = 'open'
RETURNING id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at;

-- name: conflict
-- One conflict.
SELECT id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at
FROM conflicts WHERE id = :id;

-- name: conflicts
-- Those that a decision hangs on first, then the newest. An empty filter lets
-- everything through; a company is found by any domain that it is known by.
SELECT id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at
FROM conflicts
WHERE (:entity = '' OR entity IN (
        SELECT CAST(:entity AS text)
        UNION SELECT k.company_domain FROM company_domains k WHERE k.domain = :entity
        UNION SELECT k.domain FROM company_domains k
            JOIN company_domains o ON o.company_domain = k.company_domain WHERE o.domain = :entity))
  AND (:status = '' OR status = :status)
  AND (:severity = '' OR severity = :severity)
ORDER BY severity, id DESC
LIMIT :limit;

-- name: open-conflicts
-- The open conflicts of companies by their own domains, company by company: asked for together, a plan made while there
-- were few would read all that are open for as long as it is kept.
SELECT c.*
FROM unnest(CAST(:companies AS text[])) AS r(entity), LATERAL (
    SELECT id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch, opened_at, updated_at
    FROM conflicts WHERE conflicts.entity = r.entity AND status = 'open' ORDER BY field) AS c
ORDER BY c.entity, c.field;

-- name: disagreements
-- How often each two sources contradicted each other since :since, open or not.
SELECT a.value->>'source' AS a, b.value->>'source' AS b,
       count(DISTINCT CASE WHEN c.severity = 'info' THEN c.id END) AS info,
       count(DISTINCT CASE WHEN c.severity = 'decision' THEN c.id END) AS decision
FROM conflicts c
CROSS JOIN LATERAL jsonb_array_elements(CAST(c.candidates AS jsonb)) AS a(value)
CROSS JOIN LATERAL jsonb_array_elements(CAST(c.candidates AS jsonb)) AS b(value)
WHERE c.opened_at > :since AND a.value->>'source' < b.value->>'source'
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: company-facts
-- The facts of a company, locked until the transaction ends.
SELECT facts FROM companies WHERE domain = :domain FOR UPDATE;

-- name: put-conflicts
-- Opens the conflicts, or brings the open ones of a company and field up to date.
-- Nothing where a person has spoken: their word wins from then on.
INSERT INTO conflicts (id, entity, field, candidates, chosen, margin, severity, lead_id, epoch, status, resolved_by,
    told, opened_at, updated_at)
SELECT r.id, r.entity, r.field, r.candidates, r.chosen, r.margin, r.severity, r.lead_id, r.epoch, 'open', '', FALSE,
    CAST(:now AS bigint), CAST(:now AS bigint)
FROM unnest(CAST(:id AS text[]), CAST(:entity AS text[]), CAST(:field AS text[]), CAST(:candidates AS text[]),
        CAST(:chosen AS text[]), CAST(:margin AS double precision[]), CAST(:severity AS text[]),
        CAST(:lead_id AS text[]), CAST(:epoch AS integer[]))
    AS r(id, entity, field, candidates, chosen, margin, severity, lead_id, epoch)
WHERE NOT EXISTS (SELECT 1 FROM observations o
    WHERE o.entity = r.entity AND o.outdated = FALSE AND o.field = r.field AND o.class IN ('human', 'human_locked'))
ON CONFLICT (entity, field) WHERE status = 'open' DO UPDATE
SET candidates = excluded.candidates, chosen = excluded.chosen, margin = excluded.margin,
    severity = excluded.severity, lead_id = excluded.lead_id, epoch = excluded.epoch, updated_at = excluded.updated_at;

-- name: tell-conflicts
-- The open conflicts on which a decision hangs and of whose opening nobody was told yet. Each is found by company and
-- field, as in open-conflicts.
UPDATE conflicts SET told = TRUE
FROM unnest(CAST(:entity AS text[]), CAST(:field AS text[])) AS r(entity, field), LATERAL (
    SELECT id, severity, told FROM conflicts WHERE entity = r.entity AND field = r.field AND status = 'open' FOR UPDATE) AS c
WHERE conflicts.id = c.id AND c.severity = 'decision' AND NOT c.told
RETURNING conflicts.id, conflicts.entity, conflicts.field, conflicts.candidates, conflicts.chosen, conflicts.margin,
    conflicts.severity, conflicts.status, conflicts.resolved_by, conflicts.lead_id, conflicts.epoch,
    conflicts.opened_at, conflicts.updated_at;

-- name: close-conflicts
-- The open conflicts of these companies and fields are over. Each is found by company and field, as in open-conflicts.
UPDATE conflicts SET status = r.status, resolved_by = r.resolved_by, updated_at = :now
FROM unnest(CAST(:entity AS text[]), CAST(:field AS text[]), CAST(:status AS text[]), CAST(:resolved_by AS text[]))
    AS r(entity, field, status, resolved_by), LATERAL (
    SELECT id FROM conflicts WHERE entity = r.entity AND field = r.field AND status = 'open' FOR UPDATE) AS c
WHERE conflicts.id = c.id;
