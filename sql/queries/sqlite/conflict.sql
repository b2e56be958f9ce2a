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
