-- name: tokens-by-hash
-- As the general text, with SQLite's function for a JSON list.
SELECT id, description, group_name, scopes, hash, prefix, last4, created_by, created_at, expires_at, revoked_at,
    last_used_at
FROM tokens WHERE hash IN (SELECT value FROM json_each(:hashes));
