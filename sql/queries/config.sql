-- name: save-config
-- Keeps the bytes of a configuration at first use.
INSERT INTO configs (hash, kind, name, version, bytes, created_at)
VALUES (:hash, :kind, :name, :version, :bytes, :now)
ON CONFLICT (hash) DO NOTHING;
