-- name: put-conflict
-- Opens the conflict, or brings the open one of the company and field up to
-- date. Nothing where a person has spoken: their word wins from then on.
INSERT INTO conflicts (id, entity, field, candidates, chosen, margin, severity, status, resolved_by, told,
    lead_id, epoch, opened_at, updated_at)
SELECT :id, :entity, :field, :candidates, :chosen, CAST(:margin AS double precision), :severity, 'open', '', FALSE,
    :lead_id, CAST(:epoch AS integer), CAST(:now AS bigint), CAST(:now AS bigint)
WHERE NOT EXISTS (SELECT 1 FROM observations
    WHERE entity = :entity AND field = :field AND class IN ('human', 'human_locked'))
ON CONFLICT (entity, field) WHERE status = 'open' DO UPDATE
SET candidates = excluded.candidates, chosen = excluded.chosen, margin = excluded.margin,
    severity = excluded.severity, lead_id = excluded.lead_id, epoch = excluded.epoch, updated_at = excluded.updated_at;

-- name: tell-conflict
-- The open conflict, if a decision hangs on it and nobody was told of this opening yet.
UPDATE conflicts SET told = TRUE
WHERE entity = :entity AND field = :field AND status = 'open' AND severity = 'decision' AND NOT told
RETURNING id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at;

-- name: close-conflict
-- The open conflict of the company and field is over.
UPDATE conflicts SET status = :status, resolved_by = :resolved_by, updated_at = :now
WHERE entity = :entity AND field = :field AND status = 'open';

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
-- The open conflicts of a company by its own domain.
SELECT id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at
FROM conflicts WHERE entity = :entity AND status = 'open' ORDER BY field;

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
