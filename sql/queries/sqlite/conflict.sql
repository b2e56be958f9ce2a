-- name: disagreements
-- As the general text, with SQLite's function for a JSON list.
SELECT a.value->>'source' AS a, b.value->>'source' AS b,
       count(DISTINCT CASE WHEN c.severity = 'info' THEN c.id END) AS info,
       count(DISTINCT CASE WHEN c.severity = 'decision' THEN c.id END) AS decision
FROM conflicts c, json_each(c.candidates) AS a, json_each(c.candidates) AS b
WHERE c.opened_at > :since AND a.value->>'source' < b.value->>'source'
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: company-facts
-- The writer's transaction is the lock.
SELECT facts FROM companies WHERE domain = :domain;

-- name: open-conflicts
-- As the general text, with SQLite's function for a JSON list.
SELECT id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at
FROM conflicts WHERE entity IN (SELECT value FROM json_each(:companies)) AND status = 'open' ORDER BY entity, field;

-- name: put-conflicts
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO conflicts (id, entity, field, candidates, chosen, margin, severity, lead_id, epoch, status, resolved_by,
    told, opened_at, updated_at)
SELECT r.value->>'id', r.value->>'entity', r.value->>'field', r.value->>'candidates', r.value->>'chosen',
    r.value->>'margin', r.value->>'severity', r.value->>'lead_id', r.value->>'epoch', 'open', '', FALSE,
    :now, :now
FROM json_each(:rows) AS r
WHERE NOT EXISTS (SELECT 1 FROM observations o
    WHERE o.entity = r.value->>'entity' AND o.outdated = FALSE AND o.field = r.value->>'field'
      AND o.class IN ('human', 'human_locked'))
ON CONFLICT (entity, field) WHERE status = 'open' DO UPDATE
SET candidates = excluded.candidates, chosen = excluded.chosen, margin = excluded.margin,
    severity = excluded.severity, lead_id = excluded.lead_id, epoch = excluded.epoch, updated_at = excluded.updated_at;

-- name: tell-conflicts
-- As the general text, with SQLite's function for a JSON list.
UPDATE conflicts SET told = TRUE
FROM json_each(:rows) AS r
WHERE entity = r.value->>'entity' AND field = r.value->>'field' AND status = 'open' AND severity = 'decision' AND NOT told
RETURNING conflicts.id, entity, field, candidates, chosen, margin, severity, status, resolved_by, lead_id, epoch,
    opened_at, updated_at;

-- name: close-conflicts
-- As the general text, with SQLite's function for a JSON list.
UPDATE conflicts SET status = r.value->>'status', resolved_by = r.value->>'resolved_by', updated_at = :now
FROM json_each(:rows) AS r
WHERE entity = r.value->>'entity' AND field = r.value->>'field' AND status = 'open';
