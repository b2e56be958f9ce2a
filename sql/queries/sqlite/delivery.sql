-- name: insert-deliveries
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO deliveries (id, event, target, key, lead_id, epoch, body, state, created_at, updated_at)
SELECT r.value->>'id', r.value->>'event', r.value->>'target', r.value->>'key', r.value->>'lead_id', r.value->>'epoch',
    r.value->>'body', 'pending', :now, :now
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (target, key) DO NOTHING
RETURNING id, lead_id, epoch;

-- name: note-delivered
-- As the general text, with SQLite's function for a JSON list.
UPDATE deliveries SET state = 'delivered', attempts = r.value->>'attempts', last_note = '', updated_at = :now
FROM json_each(:rows) AS r
WHERE deliveries.id = r.value->>'id';

-- name: deliveries
-- As the general text, with SQLite's function for a JSON list.
SELECT d.id, d.event, d.target, d.key, d.lead_id, d.epoch, d.body, d.attempts, d.created_at
FROM deliveries d WHERE d.id IN (SELECT value FROM json_each(:ids));
