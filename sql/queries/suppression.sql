-- name: suppress
-- One row, or none when it was suppressed already: the first reason is kept.
INSERT INTO suppressions (hash, reason, created_at) VALUES (:hash, :reason, :now)
ON CONFLICT (hash) DO NOTHING;

-- name: unsuppress
-- One row, or none when it was not suppressed.
DELETE FROM suppressions WHERE hash = :hash;

-- name: suppressions
-- All of them, oldest first.
SELECT hash, reason, created_at FROM suppressions ORDER BY created_at, hash;
