-- +goose Up

-- What vendors were seen to know, counted once a day: JSON, by segment and vendor. Never changed, because decisions were
-- planned with it.
CREATE TABLE hit_rates (
    day        TEXT NOT NULL PRIMARY KEY,
    companies  INTEGER NOT NULL,
    tallies    TEXT NOT NULL,
    counted_at BIGINT NOT NULL
);

-- What an audit asked beyond its decision: JSON. Empty for audits of before.
ALTER TABLE audits ADD COLUMN steps TEXT NOT NULL DEFAULT '';
