-- name: insert-steps
-- Steps that are handed out for the first time; those with begun = 1 are begun.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, queued_at, lease_until, attempts, worker)
SELECT r.kind, r.id, r.epoch, r.lead_id, r.run, r.queue, CASE r.begun WHEN 1 THEN 'running' ELSE 'queued' END, :now,
    r.begun * CAST(:lease AS bigint), r.begun, CASE r.begun WHEN 1 THEN CAST(:worker AS text) ELSE '' END
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:lead_id AS text[]),
        CAST(:run AS integer[]), CAST(:queue AS text[]), CAST(:begun AS integer[]))
    AS r(kind, id, epoch, lead_id, run, queue, begun);

-- name: renew-steps
-- Extends the lease of the runs that still hold theirs.
UPDATE steps SET lease_until = :lease
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND steps.state = 'running';

-- name: vouch-steps
-- The runs were seen on the queue: no suspects for now.
UPDATE steps SET queued_at = :now
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
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
-- attempt given back, :failed_at when it was put aside. A run that ends has
-- killed nobody. None: the run lost the step.
UPDATE steps SET state = :state, due_at = :due, lease_until = 0, error_kind = :error_kind, note = :note,
    attempts = attempts - :refund, kills = 0, failed_at = :failed_at, queued_at = 0
WHERE kind = :kind AND id = :id AND epoch = :epoch AND run = :run AND state = 'running'
RETURNING attempts;

-- name: suspects
-- Steps that nobody seems to work on: a lease ran out, a wait is over (both
-- lost: no task of theirs counts any more), or a run handed out before :stale
-- was never begun. A lease that ran out began before :lapsed, so one index on
-- queued_at serves both. What still stands in the outbox is not lost, only
-- late. kills counts the workers that died on the step, the one of this run
-- included; it is 0 where the run has no dead worker. others counts the workers that
-- died since :recent without it. Where kills makes two or more it is one step at most,
-- and none while another like it is out since :apart; but of those on which two or
-- three died it is every one without which more have: it was there by chance, and is
-- so still should it die once more beside what kills.
WITH struck AS (
    SELECT kind, id, epoch, run, queue, attempts, due_at, kills + 1 AS kills,
        (SELECT count(*) FROM worker_deaths d WHERE d.noted_at > :recent AND d.worker <> steps.worker) - kills AS others,
        0 AS class, 1 AS lost, lease_until AS since
    FROM steps WHERE queued_at > 0 AND queued_at <= :lapsed AND state = 'running' AND lease_until <= :now AND kills > 0
)
SELECT kind, id, epoch, run, queue, attempts, due_at, kills, others, lost, since FROM (
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 1 AS kills, 0 AS others, 0 AS class, 1 AS lost, lease_until AS since
        FROM steps WHERE queued_at > 0 AND queued_at <= :lapsed AND state = 'running' AND lease_until <= :now AND kills = 0
        ORDER BY lease_until LIMIT :limit) AS lost
    UNION ALL
    SELECT * FROM (
        SELECT * FROM struck WHERE kills < 4 AND others > kills ORDER BY since LIMIT :limit) AS unlucky
    UNION ALL
    SELECT * FROM (
        SELECT * FROM struck
        WHERE (kills > 3 OR others <= kills)
          AND NOT EXISTS (SELECT 1 FROM steps AS other WHERE other.kills > 1 AND other.queued_at > :apart
              AND other.state IN ('queued', 'running'))
        ORDER BY since LIMIT 1) AS watched
    UNION ALL
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 0 AS kills, 0 AS others, 1 AS class, 1 AS lost, due_at AS since
        FROM steps WHERE due_at > 0 AND due_at <= :now AND state = 'waiting' ORDER BY due_at LIMIT :limit) AS due
    UNION ALL
    SELECT * FROM (
        SELECT kind, id, epoch, run, queue, attempts, due_at, 0 AS kills, 0 AS others, 2 AS class, 0 AS lost, queued_at AS since
        FROM steps WHERE queued_at > 0 AND queued_at <= :stale AND state = 'queued'
          AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.step_id = steps.id AND o.kind = steps.kind
              AND o.epoch = steps.epoch AND o.run = steps.run)
        ORDER BY queued_at LIMIT :limit) AS silent
) AS suspects
ORDER BY class, since
LIMIT :limit;

-- name: rehand-steps
-- Raises the run of {kind, id, epoch, run, due_at} and returns what was raised. A run
-- that holds its lease, a step that ended, one that was parked meanwhile (it waits for
-- another due_at, which is to come) and an older run are left alone. A lease that ran
-- out is a worker that died.
UPDATE steps SET run = steps.run + 1, state = 'queued', queued_at = :now, due_at = 0, lease_until = 0,
    kills = steps.kills + CASE WHEN steps.state = 'running' THEN 1 ELSE 0 END
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, id text, epoch integer, run integer, due_at bigint)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND (steps.state = 'queued' OR (steps.state = 'waiting' AND (steps.due_at <= :now OR steps.due_at = r.due_at))
    OR (steps.state = 'running' AND steps.lease_until <= :now))
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.queue, steps.attempts, steps.due_at, steps.kills, steps.worker;

-- name: end-ruled-steps
-- Removes the steps of the runs that hold them and whose epoch is not decided
-- yet, and returns them: the decision keeps every other run out from now on.
-- Locks the steps until the transaction ends.
DELETE FROM steps
USING unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]),
        CAST(:lead_id AS text[]))
    AS r(kind, id, epoch, run, lead_id)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'running'
  AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.lead_id = r.lead_id AND d.epoch = r.epoch)
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.lead_id;

-- name: begin-steps
-- Returns the runs that may work and hold the lease now. The others were handed
-- out again, are being worked on, or are finished. To repeat it with the same
-- lease is harmless. attempts are those since the step was written or handed out by
-- hand, with this one.
UPDATE steps SET state = 'running', lease_until = :lease, worker = :worker,
    attempts = attempts + CASE WHEN steps.state = 'queued' THEN 1 ELSE 0 END
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run
  AND (steps.state = 'queued' OR steps.state = 'running' AND steps.worker = :worker AND steps.lease_until = :lease)
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.attempts;

-- name: finish-steps
-- Ends runs well and returns them: they have killed nobody. The others lost their step.
UPDATE steps SET state = 'done', due_at = 0, lease_until = 0, queued_at = 0, error_kind = '', note = '', kills = 0
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'running'
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.attempts;

-- name: drop-steps
-- Removes the steps of runs that ended well and for good, and returns them. The
-- others lost their step.
DELETE FROM steps
USING unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]))
    AS r(kind, id, epoch, run)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.run = r.run AND steps.state = 'running'
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.attempts;

-- name: set-step-aside
-- Puts a step away whose worker died once more, and returns its attempts and that worker.
UPDATE steps SET state = 'failed', due_at = 0, lease_until = 0, kills = kills + 1, error_kind = :reason, note = :note,
    failed_at = :now, queued_at = 0
WHERE kind = :kind AND id = :id AND epoch = :epoch AND run = :run AND state = 'running' AND lease_until <= :now
RETURNING attempts, worker;

-- name: note-death
-- A process died with work in hand; it is noted once.
INSERT INTO worker_deaths (worker, noted_at) VALUES (:worker, :now) ON CONFLICT (worker) DO NOTHING;

-- name: forget-deaths
-- They say nothing about what dies now.
DELETE FROM worker_deaths WHERE noted_at <= :stale;

-- name: failed-steps
-- A page of steps that were put aside, newest first, older than the one that
-- :after names (:after_… its order). An empty filter lets everything through.
SELECT kind, id, lead_id, epoch, run, queue, attempts, kills, error_kind, note, failed_at
FROM steps
WHERE state = 'failed' AND failed_at > 0 AND failed_at >= :since
  AND (:kind = '' OR kind = :kind) AND (:id = '' OR id = :id) AND (:reason = '' OR error_kind = :reason) AND (:lead_id = '' OR lead_id = :lead_id)
  AND (:after = '' OR (failed_at, kind, id, epoch) < (:after_at, :after_kind, :after_id, :after_epoch))
ORDER BY failed_at DESC, kind DESC, id DESC, epoch DESC
LIMIT :limit;

-- name: count-failed-steps
-- How many steps are put aside, by kind and reason.
SELECT kind, error_kind, count(*) AS steps FROM steps WHERE state = 'failed' AND failed_at > 0 GROUP BY kind, error_kind;

-- name: replay-steps
-- Makes {kind, id, epoch} that were put aside as good as new, and returns them.
UPDATE steps SET run = steps.run + 1, state = 'queued', queued_at = :now, due_at = 0, lease_until = 0, attempts = 0,
    kills = 0, error_kind = '', note = '', failed_at = 0
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(kind text, id text, epoch integer)
WHERE steps.kind = r.kind AND steps.id = r.id AND steps.epoch = r.epoch AND steps.state = 'failed'
RETURNING steps.kind, steps.id, steps.epoch, steps.run, steps.queue, steps.attempts, steps.due_at;

-- name: replay-lead
-- The lead was held because workers died on it: it is in flight again.
UPDATE leads SET status = 'accepted', verdict = 'accept' WHERE id = :id AND status = 'quarantined';

-- name: replay-delivery
-- The delivery is on its way again, and as young as a new one: a CRM is tried until it is too old.
UPDATE deliveries SET state = 'pending', attempts = 0, last_note = '', created_at = :now, updated_at = :now WHERE id = :id;
