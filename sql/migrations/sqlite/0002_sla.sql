-- +goose Up

-- What became of an assignment: when the rep accepted and touched the lead, and when, why and by whom it was
-- taken away. returned is the log of the credits that went back: pool -> rep -> [before, after].
ALTER TABLE assignments ADD COLUMN accepted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN touched_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN closed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN close_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN closed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN close_note TEXT NOT NULL DEFAULT '';
ALTER TABLE assignments ADD COLUMN returned TEXT NOT NULL DEFAULT '{}';

-- The clocks of an assignment, with the thresholds they were made with. Each has a step of kind sla:due, whose
-- due_at is what is looked for.
CREATE TABLE sla_timers (
    lead_id     TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch       INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    rep         TEXT NOT NULL,
    nudge_at    BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    state       TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    clock       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (lead_id, epoch, kind)
);
CREATE INDEX sla_timers_open ON sla_timers (due_at) WHERE state IN ('open', 'nudged');
