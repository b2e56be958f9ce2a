-- name: lock-pools
-- Locks the pools (JSON list), in the order of their ids, until the transaction
-- ends. What they protect must be read by a later statement.
SELECT id FROM pools
WHERE id IN (SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY id FOR UPDATE;

-- name: insert-pools
-- Makes the pools that are missing.
INSERT INTO pools (id) SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb))
ON CONFLICT (id) DO NOTHING;

-- name: credits
-- The credit of every member of the pools that ever had one.
SELECT pool, rep, credit FROM pool_members
WHERE pool IN (SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb)));

-- name: lock-reps
-- Locks and reads the reps (JSON list), in the order of their ids.
SELECT id, last_seq, open_leads FROM reps
WHERE id IN (SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb)))
ORDER BY id FOR UPDATE;

-- name: insert-reps
-- Makes the reps that are missing.
INSERT INTO reps (id) SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb))
ON CONFLICT (id) DO NOTHING;

-- name: rep-days
-- What the reps were assigned on each day from :since on.
SELECT rep, day, assigned FROM rep_days
WHERE day >= :since AND rep IN (SELECT value FROM jsonb_array_elements_text(CAST(:ids AS jsonb)));

-- name: set-credits
-- Writes credits {pool, rep, credit}.
INSERT INTO pool_members (pool, rep, credit)
SELECT r.pool, r.rep, r.credit FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(pool text, rep text, credit bigint)
ON CONFLICT (pool, rep) DO UPDATE SET credit = excluded.credit;

-- name: serve-rep
-- Raises what a rep was served last (never lowers it) and adds to the open leads.
INSERT INTO reps (id, last_seq, open_leads) VALUES (:id, :last_seq, :open_leads)
ON CONFLICT (id) DO UPDATE
SET last_seq = CASE WHEN excluded.last_seq > reps.last_seq THEN excluded.last_seq ELSE reps.last_seq END,
    open_leads = reps.open_leads + excluded.open_leads;

-- name: count-day
-- So many more leads on the rep's day.
INSERT INTO rep_days (rep, day, assigned) VALUES (:rep, :day, :assigned)
ON CONFLICT (rep, day) DO UPDATE SET assigned = rep_days.assigned + excluded.assigned;

-- name: next-seqs
-- The numbers of the next :n assignments that count, over all pools. Call it
-- under the locks; numbers may be skipped, never repeated.
SELECT nextval('assignment_seq') AS seq FROM generate_series(1, CAST(:n AS integer));
