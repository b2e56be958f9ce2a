-- name: insert-observations
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO observations (id, entity, field, value, absent, source, class, ref, method, confidence,
    observed_at, fetched_at, cost_micros, request_id, run_id, used)
SELECT r.value->>'id', r.value->>'entity', r.value->>'field', r.value->>'value', r.value->>'absent',
    r.value->>'source', r.value->>'class', r.value->>'ref', r.value->>'method', r.value->>'confidence',
    r.value->>'observed_at', r.value->>'fetched_at', r.value->>'cost_micros', r.value->>'request_id',
    r.value->>'run_id', r.value->>'used'
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (id) DO UPDATE SET used = TRUE WHERE excluded.used AND NOT observations.used;

-- name: lock-links
-- The writer's transaction is the lock.
SELECT 1;
