-- name: insert-outbox
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO outbox (kind, step_id, epoch, run, queue, created_at)
SELECT r.value->>'kind', r.value->>'id', r.value->>'epoch', r.value->>'run', r.value->>'queue', :now
FROM json_each(:rows) AS r;

-- name: claim-outbox
-- As the general text; with one writer there is nothing to skip.
UPDATE outbox SET claimed_until = :until
WHERE id IN (SELECT id FROM outbox WHERE claimed_until <= :now ORDER BY id LIMIT :limit)
RETURNING id AS outbox, kind, step_id AS id, epoch, run, queue;

-- name: drop-outbox
-- As the general text, with SQLite's function for a JSON list.
DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(:ids));
