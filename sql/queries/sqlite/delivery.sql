-- name: insert-deliveries
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO deliveries (id, event, target, key, lead_id, epoch, body, state, created_at, updated_at)
SELECT r.value->>'id', r.value->>'event', r.value->>'target', r.value->>'key', r.value->>'lead_id',
       r.value->>'epoch', r.value->>'body', 'pending', :now, :now
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (target, key) DO NOTHING
RETURNING id;
