-- name: insert-steps
-- Steps that are handed out for the first time.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, queued_at)
SELECT r.kind, r.id, r.epoch, r.lead_id, r.run, r.queue, 'queued', :now
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:lead_id AS text[]),
        CAST(:run AS integer[]), CAST(:queue AS text[]))
    AS r(kind, id, epoch, lead_id, run, queue);

-- name: renew-steps
-- Extends the lease of the runs {kind, id, epoch, run} that still hold theirs.
UPDATE steps SET lease_until = :lease
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, id text, epoch integer, run integer)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND steps.state = 'running';

-- name: vouch-steps
-- The runs {kind, id, epoch, run} were seen on the queue: no suspects for now.
UPDATE steps SET queued_at = :now
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, id text, epoch integer, run integer)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND steps.state = 'queued';

-- name: fence-step
-- One row: this run holds the step and nothing was decided yet. Locks the step
-- until the transaction ends.
UPDATE steps SET lease_until = :lease
WHERE kind = :kind AND id = :id AND epoch = :epoch AND run = :run AND state = 'running'
  AND NOT EXISTS (SELECT 1 FROM decisions WHERE lead_id = :lead_id AND epoch = :epoch);

-- name: end-step
-- Ends a run: :state is waiting (until :due), done or failed. :refund is the
-- attempt given back. None: the run lost the step.
UPDATE steps SET state = :state, due_at = :due, lease_until = 0, error_kind = :error_kind, note = :note,
    attempts = attempts - :refund
WHERE kind = :kind AND id = :id AND epoch = :epoch AND run = :run AND state = 'running'
RETURNING attempts;

-- name: suspects
-- Steps that nobody seems to work on: a lease ran out, a wait is over (both
-- lost: no task of theirs counts any more), or a run handed out before :stale
-- was never begun. What still stands in the outbox is
-- not lost, only late.
SELECT kind, id, epoch, run, queue, attempts, due_at, lost, since FROM (
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 0 AS class, 1 AS lost, lease_until AS since
        FROM steps WHERE state = 'running' AND lease_until <= :now ORDER BY lease_until LIMIT :limit) AS lost
    UNION ALL
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 1 AS class, 1 AS lost, due_at AS since
        FROM steps WHERE state = 'waiting' AND due_at <= :now ORDER BY due_at LIMIT :limit) AS due
    UNION ALL
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 2 AS class, 0 AS lost, queued_at AS since
        FROM steps WHERE state = 'queued' AND queued_at <= :stale
          AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.step_id = steps.id AND o.kind = steps.kind
              AND o.epoch = steps.epoch AND o.run = steps.run)
        ORDER BY queued_at LIMIT :limit) AS silent
) AS suspects
ORDER BY class, since
LIMIT :limit;

-- name: rehand-steps
-- Raises the run of {kind, id, epoch, run} and returns what was raised. A run
-- that holds its lease, a finished step and an older run are left alone.
UPDATE steps SET run = steps.run + 1, state = 'queued', queued_at = :now, due_at = 0, lease_until = 0
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, id text, epoch integer, run integer)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND (steps.state IN ('queued', 'waiting', 'failed') OR (steps.state = 'running' AND steps.lease_until <= :now))
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.queue, steps.attempts, steps.due_at;

-- name: end-ruled-steps
-- Ends the runs that hold their step and whose epoch is not decided yet, and
-- returns them. Locks the steps until the transaction ends.
UPDATE steps SET state = 'done', due_at = 0, lease_until = 0, error_kind = '', note = ''
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]),
        CAST(:lead_id AS text[]))
    AS r(kind, id, epoch, run, lead_id)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.lead_id = r.lead_id AND d.epoch = r.epoch)
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.lead_id;

-- name: begin-steps
-- Returns the runs that may work and hold the lease now. The others were handed
-- out again, are being worked on, or are finished.
UPDATE steps SET state = 'running', lease_until = :lease, attempts = attempts + 1
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'queued'
RETURNING steps.kind, steps.id, steps.epoch, steps.run;

-- name: finish-steps
-- Ends runs well and returns them. The others lost their step.
UPDATE steps SET state = 'done', due_at = 0, lease_until = 0, error_kind = '', note = ''
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'running'
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.attempts;
