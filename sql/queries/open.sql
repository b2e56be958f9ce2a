-- name: standby
-- True on a server that takes no writes: such a store is refused at the start.
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS standby;

-- name: ping
-- Answers when the store does.
SELECT 1 AS one;

-- name: clock
-- The database's time in microseconds since 1970, and its version.
SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) AS now, current_setting('server_version') AS version;
