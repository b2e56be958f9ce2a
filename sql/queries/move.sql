-- name: lock-lead
-- Locks the lead until the transaction ends and says which decision is in force.
-- Whoever accepts, touches or moves a lead comes through here first.
SELECT l.epoch AS epoch, l.status AS status, l.email_key AS email_key, l.domain AS domain
FROM leads l WHERE l.id = :lead_id FOR UPDATE;

-- name: hold-step
-- One row: this run holds the step, of whatever kind. Locks it until the
-- transaction ends.
UPDATE steps SET lease_until = :lease
WHERE kind = :kind AND id = :id AND epoch = :epoch AND run = :run AND state = 'running';

-- name: assignments
-- Everybody who was given the lead, in order, and what became of it.
SELECT a.lead_id, a.epoch, a.rep, a.pool, a.rule, a.target, a.status, a.counts, a.credits, a.accept_by, a.touch_by,
       a.assigned_at, a.accepted_at, a.touched_at, a.closed_at, a.close_reason, a.closed_by, a.close_note
FROM assignments a WHERE a.lead_id = :lead_id ORDER BY a.epoch;

-- name: close-assignment
-- The lead was taken away: when, why, by whom, and the credits that went back.
UPDATE assignments SET status = 'closed', closed_at = :now, close_reason = :reason, closed_by = :actor,
    close_note = :note, returned = :returned
WHERE lead_id = :lead_id AND epoch = :epoch;

-- name: move-lead
-- The next decision is in force. None: it is not the next one any more.
UPDATE leads SET epoch = :epoch WHERE id = :lead_id AND epoch = :epoch - 1 AND status = 'decided';

-- name: pass-person
-- Whoever has this lead holds its person; another lead's holder stays, but for one
-- that gave that lead back: it was a duplicate, maybe of this.
INSERT INTO person_owners (email_key, rep, source, lead_id, created_at)
VALUES (:email_key, :rep, :source, :lead_id, :now)
ON CONFLICT (email_key) DO UPDATE SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id
WHERE person_owners.lead_id = excluded.lead_id OR EXISTS (SELECT 1 FROM leads l
    JOIN assignments a ON a.lead_id = l.id AND a.epoch = l.epoch WHERE l.id = person_owners.lead_id AND a.rep = '');

-- name: leave-person
-- Nobody has this lead: nobody holds its person because of it, nor because of a
-- duplicate that was given back.
DELETE FROM person_owners WHERE email_key = :email_key AND (lead_id = :lead_id OR EXISTS (SELECT 1 FROM leads l
    JOIN assignments a ON a.lead_id = l.id AND a.epoch = l.epoch WHERE l.id = person_owners.lead_id AND a.rep = ''));

-- name: pass-company
-- The account goes with the lead, if the rep who loses the one owns the other. It may
-- have been given away under any domain of the company, before that was linked.
UPDATE company_owners SET rep = :rep, source = :source, lead_id = :lead_id
WHERE domain = ANY (CAST(:domains AS text[])) AND rep = :from_rep;

-- name: leave-company
-- The account loses the owner whom this lead brought.
DELETE FROM company_owners WHERE domain = ANY (CAST(:domains AS text[])) AND lead_id = :lead_id;
