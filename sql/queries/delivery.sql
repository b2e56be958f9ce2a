-- name: insert-deliveries
-- Stores deliveries {id, event, target, key, lead_id, epoch, body} and returns
-- the ids of those that are new: a key is told to a target once.
INSERT INTO deliveries (id, event, target, key, lead_id, epoch, body, state, created_at, updated_at)
SELECT r.id, r.event, r.target, r.key, r.lead_id, r.epoch, r.body, 'pending', :now, :now
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r(id text, event text, target text, key text, lead_id text, epoch integer, body text)
ON CONFLICT (target, key) DO NOTHING
RETURNING id;

-- name: delivery
-- One delivery with the attempts that were made so far.
SELECT d.id, d.event, d.target, d.key, d.lead_id, d.epoch, d.body, d.attempts
FROM deliveries d WHERE d.id = :id;

-- name: note-delivery
-- How the last run of the delivery's step ended.
UPDATE deliveries SET state = :state, attempts = :attempts, last_note = :note, updated_at = :now WHERE id = :id;
