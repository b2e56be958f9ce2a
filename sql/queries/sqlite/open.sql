-- name: standby
-- A file has no standby.
SELECT FALSE AS standby;
