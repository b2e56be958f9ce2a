-- name: instant
-- The clock of the machine, whatever the process takes for its own.
SELECT CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER) AS now;
