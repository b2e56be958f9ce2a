-- name: lock-pools
-- The writer's transaction is the lock.
SELECT id FROM pools WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id;

-- name: insert-pools
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO pools (id) SELECT value FROM json_each(:ids) WHERE TRUE ON CONFLICT (id) DO NOTHING;

-- name: credits
-- As the general text, with SQLite's function for a JSON list.
SELECT pool, rep, credit FROM pool_members WHERE pool IN (SELECT value FROM json_each(:ids));

-- name: lock-reps
-- The writer's transaction is the lock.
SELECT id, last_seq, open_leads FROM reps WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id;

-- name: insert-reps
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO reps (id) SELECT value FROM json_each(:ids) WHERE TRUE ON CONFLICT (id) DO NOTHING;

-- name: rep-days
-- As the general text, with SQLite's function for a JSON list.
SELECT rep, day, assigned FROM rep_days
WHERE day >= :since AND rep IN (SELECT value FROM json_each(:ids));

-- name: set-credits
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO pool_members (pool, rep, credit)
SELECT r.value->>'pool', r.value->>'rep', r.value->>'credit' FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (pool, rep) DO UPDATE SET credit = excluded.credit;

-- name: next-seqs
-- With one writer the highest number so far is enough, and none is skipped.
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n)
SELECT i + (SELECT COALESCE(MAX(last_seq), 0) FROM reps) AS seq FROM n ORDER BY i;
