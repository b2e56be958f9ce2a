-- +goose Up

-- What became of an assignment: when the rep accepted and touched the lead, and when, why and by whom it was
-- taken away. returned is the log of the credits that went back: pool -> rep -> [before, after].
ALTER TABLE assignments ADD COLUMN accepted_at bigint NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN touched_at bigint NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN closed_at bigint NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN close_reason text NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN closed_by text NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN close_note text NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN returned text NOT NULL DEFAULT '{}';

-- The clocks of an assignment, with the thresholds they were made with. Each has a step of kind sla:due, whose
-- due_at is what is looked for.
CREATE TABLE sla_timers (
    lead_id     text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch       integer NOT NULL,
    kind        text NOT NULL,
    rep         text NOT NULL,
    nudge_at    bigint NOT NULL,
    due_at      bigint NOT NULL,
    state       text NOT NULL,
    config_hash text NOT NULL,
    clock       text NOT NULL,
    created_at  bigint NOT NULL,
    changed_at  bigint NOT NULL,
    PRIMARY KEY (lead_id, epoch, kind)
);
CREATE INDEX sla_timers_open ON sla_timers (due_at) WHERE state IN ('open', 'nudged');
