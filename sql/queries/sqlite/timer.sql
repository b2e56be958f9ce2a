-- name: insert-timers
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO sla_timers (lead_id, epoch, kind, rep, nudge_at, due_at, state, config_hash, clock, created_at, changed_at)
SELECT r.value->>'lead_id', r.value->>'epoch', r.value->>'kind', r.value->>'rep', r.value->>'nudge_at',
       r.value->>'due_at', 'open', r.value->>'config_hash', r.value->>'clock', :now, :now
FROM json_each(:rows) AS r;

-- name: insert-waiting-steps
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, due_at)
SELECT r.value->>'kind', r.value->>'id', r.value->>'epoch', r.value->>'lead_id', 0, r.value->>'queue', 'waiting',
       r.value->>'due_at'
FROM json_each(:rows) AS r;
