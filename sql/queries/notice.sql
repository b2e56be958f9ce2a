-- name: insert-completion
-- A step that waits until :due, unless the lead has one that is not finished.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, due_at)
SELECT CAST(:kind AS text), CAST(:id AS text), CAST(:epoch AS integer), CAST(:id AS text), 1, CAST(:queue AS text),
       'waiting', CAST(:due AS bigint)
WHERE NOT EXISTS (SELECT 1 FROM steps WHERE kind = :kind AND id = :id AND state <> 'done')
ON CONFLICT (kind, id, epoch) DO NOTHING;

-- name: insert-notice
-- One of a kind for a decision: the first stays.
INSERT INTO notices (lead_id, epoch, kind, at, body) VALUES (:lead_id, :epoch, :kind, :at, :body)
ON CONFLICT (lead_id, epoch, kind) DO NOTHING;

-- name: notices
-- The remarks on a lead, oldest first.
SELECT body FROM notices WHERE lead_id = :lead_id ORDER BY at, epoch, kind;
