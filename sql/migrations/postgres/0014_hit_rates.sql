-- +goose Up

-- What vendors were seen to know, counted once a day: JSON, by segment and vendor. Never changed, because decisions were
-- planned with it.
CREATE TABLE hit_rates (
    day        text COLLATE "C" PRIMARY KEY,
    companies  integer NOT NULL,
    tallies    text NOT NULL,
    counted_at bigint NOT NULL
);

-- What an audit asked beyond its decision: JSON. Empty for audits of before.
ALTER TABLE audits ADD COLUMN steps text NOT NULL DEFAULT '';
