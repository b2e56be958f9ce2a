-- name: insert-deliveries
-- Stores deliveries and returns those that are new: a key is told to a target once.
INSERT INTO deliveries (id, event, target, key, lead_id, epoch, body, state, created_at, updated_at)
SELECT r.id, r.event, r.target, r.key, r.lead_id, r.epoch, r.body, 'pending', :now, :now
FROM unnest(CAST(:id AS text[]), CAST(:event AS text[]), CAST(:target AS text[]), CAST(:key AS text[]),
        CAST(:lead_id AS text[]), CAST(:epoch AS integer[]), CAST(:body AS text[]))
    AS r(id, event, target, key, lead_id, epoch, body)
ON CONFLICT (target, key) DO NOTHING
RETURNING id, lead_id, epoch;

-- name: note-delivery
-- How the last run of the delivery's step ended.
UPDATE deliveries SET state = :state, attempts = :attempts, last_note = :note, updated_at = :now WHERE id = :id;

-- name: note-delivered
-- The deliveries have reached their targets.
UPDATE deliveries SET state = 'delivered', attempts = r.attempts, last_note = '', updated_at = :now
FROM unnest(CAST(:id AS text[]), CAST(:attempts AS integer[])) AS r(id, attempts)
WHERE deliveries.id = r.id;

-- name: deliveries
-- Deliveries with the attempts that were made so far.
SELECT d.id, d.event, d.target, d.key, d.lead_id, d.epoch, d.body, d.attempts, d.created_at
FROM deliveries d WHERE d.id = ANY (CAST(:ids AS text[]));
