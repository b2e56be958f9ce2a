-- name: instant
-- The database's own clock, in microseconds since 1970.
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) AS now;

-- name: claim-job
-- One row: this holder runs the tick. None: it was run, or somebody is at it. A run
-- that began after :ahead was written by a clock that has been put back since.
INSERT INTO jobs (name, holder, tick, held_until, ran_at) VALUES (:name, :holder, :tick, :held_until, :now)
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, tick = excluded.tick, held_until = excluded.held_until, ran_at = excluded.ran_at
WHERE jobs.ran_at > :ahead OR jobs.tick < excluded.tick AND (jobs.held_until <= :now OR jobs.holder = excluded.holder);

-- name: job-tick
-- The last tick of a job that was begun.
SELECT tick FROM jobs WHERE name = :name;

-- name: release-job
-- The holder's run has ended.
UPDATE jobs SET held_until = 0 WHERE name = :name AND holder = :holder;
