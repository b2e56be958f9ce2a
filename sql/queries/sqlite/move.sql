-- name: lock-lead
-- The writer's transaction is the lock.
SELECT l.epoch AS epoch, l.status AS status, l.email_key AS email_key, l.domain AS domain
FROM leads l WHERE l.id = :lead_id;

-- name: pass-company
-- As the general text, with SQLite's function for a JSON list.
UPDATE company_owners SET rep = :rep, source = :source, lead_id = :lead_id
WHERE domain IN (SELECT value FROM json_each(:domains)) AND rep = :from_rep;

-- name: leave-company
-- As the general text, with SQLite's function for a JSON list.
DELETE FROM company_owners WHERE domain IN (SELECT value FROM json_each(:domains)) AND lead_id = :lead_id;
