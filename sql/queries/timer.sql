-- name: insert-timers
-- The clocks {lead_id, epoch, kind, rep, nudge_at, due_at, config_hash, clock} of a new assignment.
INSERT INTO sla_timers (lead_id, epoch, kind, rep, nudge_at, due_at, state, config_hash, clock, created_at, changed_at)
SELECT r.lead_id, r.epoch, r.kind, r.rep, r.nudge_at, r.due_at, 'open', r.config_hash, r.clock, :now, :now
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(lead_id text, epoch integer, kind text, rep text, nudge_at bigint,
    due_at bigint, config_hash text, clock text);

-- name: insert-waiting-steps
-- Steps {kind, id, lead_id, epoch, queue, due_at} that nobody handed out yet: the
-- sweep does when they are due.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, due_at)
SELECT r.kind, r.id, r.epoch, r.lead_id, 0, r.queue, 'waiting', r.due_at
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r(kind text, id text, lead_id text, epoch integer, queue text, due_at bigint);

-- name: timers
-- The clocks of a lead, of all its epochs.
SELECT t.lead_id, t.epoch, t.kind, t.rep, t.nudge_at, t.due_at, t.state, t.config_hash, t.clock, t.created_at, t.changed_at
FROM sla_timers t WHERE t.lead_id = :lead_id ORDER BY t.epoch, t.kind;

-- name: timer
-- One clock.
SELECT t.lead_id, t.epoch, t.kind, t.rep, t.nudge_at, t.due_at, t.state, t.config_hash, t.clock, t.created_at, t.changed_at
FROM sla_timers t WHERE t.lead_id = :lead_id AND t.epoch = :epoch AND t.kind = :kind;

-- name: nudge-timer
-- One row: half of the time is over, and nobody was told so before.
UPDATE sla_timers SET state = 'nudged', changed_at = :now
WHERE lead_id = :lead_id AND epoch = :epoch AND kind = :kind AND state = 'open'
RETURNING due_at;

-- name: end-timer
-- One row: the clock was running and is :state now.
UPDATE sla_timers SET state = :state, changed_at = :now
WHERE lead_id = :lead_id AND epoch = :epoch AND kind = :kind AND state IN ('open', 'nudged');

-- name: end-timer-step
-- Nobody need look at the clock any more. A run that is at work finds out by itself.
UPDATE steps SET state = 'done', due_at = 0, queued_at = 0
WHERE kind = :step AND id = :id AND epoch = :epoch AND state IN ('waiting', 'queued');

-- name: accept-assignment
-- The rep has taken the lead on; the first time counts.
UPDATE assignments SET accepted_at = :now WHERE lead_id = :lead_id AND epoch = :epoch AND accepted_at = 0;

-- name: touch-assignment
-- The rep has been in touch with the person; the first time counts.
UPDATE assignments SET touched_at = :now WHERE lead_id = :lead_id AND epoch = :epoch AND touched_at = 0;
