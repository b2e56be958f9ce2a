-- name: insert-steps
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, queued_at, lease_until, attempts, worker)
SELECT r.value->>'kind', r.value->>'id', r.value->>'epoch', r.value->>'lead_id', r.value->>'run', r.value->>'queue',
    CASE r.value->>'begun' WHEN 1 THEN 'running' ELSE 'queued' END, :now, (r.value->>'begun') * :lease, r.value->>'begun',
    CASE r.value->>'begun' WHEN 1 THEN :worker ELSE '' END
FROM json_each(:rows) AS r;

-- name: renew-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET lease_until = :lease
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch'
  AND run = r.value->>'run' AND state = 'running';

-- name: vouch-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET queued_at = :now
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch'
  AND run = r.value->>'run' AND state = 'queued';

-- name: rehand-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET run = run + 1, state = 'queued', queued_at = :now, due_at = 0, lease_until = 0,
    kills = kills + CASE WHEN state = 'running' THEN 1 ELSE 0 END
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch' AND run = r.value->>'run'
  AND (state = 'queued' OR (state = 'waiting' AND (due_at <= :now OR due_at = r.value->>'due_at'))
    OR (state = 'running' AND lease_until <= :now))
RETURNING kind, id, epoch, run, queue, attempts, due_at, kills, worker;

-- name: replay-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET run = run + 1, state = 'queued', queued_at = :now, due_at = 0, lease_until = 0, attempts = 0,
    kills = 0, error_kind = '', note = '', failed_at = 0
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch' AND state = 'failed'
RETURNING kind, id, epoch, run, queue, attempts, due_at;

-- name: end-ruled-steps
-- As the general text, with SQLite's function for a JSON list.
DELETE FROM steps
WHERE (kind, id, epoch, run) IN (SELECT r.value->>'kind', r.value->>'id', r.value->>'epoch', r.value->>'run' FROM json_each(:rows) AS r)
  AND state = 'running'
  AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.lead_id = steps.lead_id AND d.epoch = steps.epoch)
RETURNING kind, id, epoch, run, lead_id;

-- name: drop-steps
-- As the general text, with SQLite's function for a JSON list.
DELETE FROM steps
WHERE (kind, id, epoch, run) IN (SELECT r.value->>'kind', r.value->>'id', r.value->>'epoch', r.value->>'run' FROM json_each(:rows) AS r)
  AND state = 'running'
RETURNING kind, id, epoch, run, attempts;

-- name: begin-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET state = 'running', lease_until = :lease, worker = :worker,
    attempts = attempts + CASE WHEN state = 'queued' THEN 1 ELSE 0 END
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch' AND run = r.value->>'run'
  AND (state = 'queued' OR state = 'running' AND worker = :worker AND lease_until = :lease)
RETURNING kind, id, epoch, run, attempts;

-- name: finish-steps
-- As the general text, with SQLite's function for a JSON list.
UPDATE steps SET state = 'done', due_at = 0, lease_until = 0, queued_at = 0, error_kind = '', note = '', kills = 0
FROM json_each(:rows) AS r
WHERE kind = r.value->>'kind' AND steps.id = r.value->>'id' AND epoch = r.value->>'epoch' AND run = r.value->>'run'
  AND state = 'running'
RETURNING kind, id, epoch, run, attempts;
