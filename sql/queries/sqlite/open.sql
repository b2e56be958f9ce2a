-- name: standby
-- A file has no standby.
SELECT FALSE AS standby;

-- name: clock
-- A file has the clock of the process that reads it; 0 stands for that.
SELECT 0 AS now, sqlite_version() AS version;
