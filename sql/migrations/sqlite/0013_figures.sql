-- +goose Up

-- Whether a decision rested on the value: it won its field, and the profile, a rule or the catalogue asked for the field.
-- What was learnt before counts as unused.
ALTER TABLE observations ADD COLUMN used BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX observations_by_time ON observations (fetched_at);

-- The figures of the providers read this index alone, by time.
DROP INDEX provider_calls_by_time;
CREATE INDEX provider_calls_by_time ON provider_calls (called_at, provider, outcome, cost_micros, took_us);
