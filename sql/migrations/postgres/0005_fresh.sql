-- +goose Up

-- A hit is fresh, then stale, then expired; early_until is when it is stale for a company of the highest tier.
-- What was held before is fresh until it expires, as it was.
ALTER TABLE answers ADD COLUMN misses integer NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN early_until bigint NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN fresh_until bigint NOT NULL DEFAULT 0;
UPDATE answers SET misses = CASE kind WHEN '' THEN 0 ELSE 1 END, early_until = expires_at, fresh_until = expires_at;
CREATE INDEX answers_stale ON answers (early_until) WHERE kind = '';

-- Companies that wait for a refresh, one row each. The highest score among those that are due goes first.
CREATE TABLE refreshes (
    domain     text PRIMARY KEY,
    score      double precision NOT NULL,
    due_at     bigint NOT NULL,
    planned_at bigint NOT NULL
);
CREATE INDEX refreshes_by_due ON refreshes (due_at);

-- Decisions for which everything was bought afterwards, to see whether stopping early was right.
CREATE TABLE audits (
    lead_id      text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch        integer NOT NULL,
    changed      boolean NOT NULL,
    calls        integer NOT NULL,
    cost_micros  bigint NOT NULL,
    tier_before  text NOT NULL,
    tier_after   text NOT NULL,
    rule_before  text NOT NULL,
    rule_after   text NOT NULL,
    at           bigint NOT NULL,
    PRIMARY KEY (lead_id, epoch)
);
