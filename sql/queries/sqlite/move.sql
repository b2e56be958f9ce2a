-- name: lock-lead
-- The writer's transaction is the lock.
SELECT l.epoch AS epoch, l.status AS status, l.email_key AS email_key, l.domain AS domain
FROM leads l WHERE l.id = :lead_id;
