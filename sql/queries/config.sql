-- name: save-config
-- Keeps the bytes of a configuration at first use.
INSERT INTO configs (hash, kind, name, version, bytes, created_at)
VALUES (:hash, :kind, :name, :version, :bytes, :now)
ON CONFLICT (hash) DO NOTHING;

-- name: configs
-- Every edition that was ever in force, the newest last.
SELECT hash, kind, name, version FROM configs ORDER BY created_at, hash;
