-- +goose Up

-- A hit is fresh, then stale, then expired; early_until is when it is stale for a company of the highest tier.
-- What was held before is fresh until it expires, as it was.
ALTER TABLE answers ADD COLUMN misses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN early_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE answers ADD COLUMN fresh_until BIGINT NOT NULL DEFAULT 0;
UPDATE answers SET misses = CASE kind WHEN '' THEN 0 ELSE 1 END, early_until = expires_at, fresh_until = expires_at;
CREATE INDEX answers_stale ON answers (early_until) WHERE kind = '';

-- Companies that wait for a refresh, one row each. The highest score among those that are due goes first.
CREATE TABLE refreshes (
    domain     TEXT NOT NULL PRIMARY KEY,
    score      REAL NOT NULL,
    due_at     BIGINT NOT NULL,
    planned_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX refreshes_by_due ON refreshes (due_at);

-- Decisions for which everything was bought afterwards, to see whether stopping early was right.
CREATE TABLE audits (
    lead_id      TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch        INTEGER NOT NULL,
    changed      BOOLEAN NOT NULL,
    calls        INTEGER NOT NULL,
    cost_micros  BIGINT NOT NULL,
    tier_before  TEXT NOT NULL,
    tier_after   TEXT NOT NULL,
    rule_before  TEXT NOT NULL,
    rule_after   TEXT NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (lead_id, epoch)
) WITHOUT ROWID;
