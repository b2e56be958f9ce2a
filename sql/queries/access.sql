-- name: insert-token
-- Stores a token's hash; an id or hash that exists is an error.
INSERT INTO tokens (id, description, group_name, scopes, hash, prefix, last4, created_by, created_at, expires_at)
VALUES (:id, :description, :group_name, :scopes, :hash, :prefix, :last4, :created_by, :created_at, :expires_at);

-- name: tokens-by-hash
-- Tokens, valid or not: whoever asks looks at expires_at and revoked_at.
SELECT id, description, group_name, scopes, hash, prefix, last4, created_by, created_at, expires_at, revoked_at,
    last_used_at
FROM tokens WHERE hash = ANY (CAST(:hashes AS text[]));

-- name: tokens
-- All tokens, oldest first.
SELECT id, description, group_name, scopes, hash, prefix, last4, created_by, created_at, expires_at, revoked_at,
    last_used_at
FROM tokens ORDER BY created_at, id;

-- name: revoke-token
-- Revoking twice keeps the first time.
UPDATE tokens SET revoked_at = CASE WHEN revoked_at = 0 THEN :now ELSE revoked_at END WHERE id = :id;

-- name: touch-token
-- The token was used; written once a minute at most, for a busy token would
-- otherwise turn every request into a write.
UPDATE tokens SET last_used_at = :now WHERE id = :id AND last_used_at <= :before;

-- name: put-user
-- Makes a user, or changes role and password.
INSERT INTO users (name, role, password_hash, created_at) VALUES (:name, :role, :password_hash, :created_at)
ON CONFLICT (name) DO UPDATE SET role = excluded.role, password_hash = excluded.password_hash;

-- name: user
-- One user.
SELECT name, role, password_hash, created_at FROM users WHERE name = :name;

-- name: users
-- All users.
SELECT name, role, password_hash, created_at FROM users ORDER BY name;

-- name: delete-user
-- None: there was no such user.
DELETE FROM users WHERE name = :name;

-- name: delete-sessions-of
-- Ends every login of a user.
DELETE FROM sessions WHERE user_name = :name;

-- name: put-session
-- Starts or prolongs a login.
INSERT INTO sessions (hash, user_name, role, expires_at) VALUES (:hash, :user_name, :role, :expires_at)
ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at, role = excluded.role;

-- name: session
-- A login that has not run out.
SELECT hash, user_name, role, expires_at FROM sessions WHERE hash = :hash AND expires_at > :now;

-- name: delete-session
-- Ends one login.
DELETE FROM sessions WHERE hash = :hash;

-- name: forget-sessions
-- Drops the logins that have run out.
DELETE FROM sessions WHERE expires_at <= :now;

-- name: insert-audit
-- Appends to the trail.
INSERT INTO audit (id, at, actor, action, target, detail) VALUES (:id, :at, :actor, :action, :target, :detail);

-- name: audit-trail
-- The newest entries first.
SELECT at, actor, action, target, detail FROM audit ORDER BY at DESC, id DESC LIMIT :limit;
