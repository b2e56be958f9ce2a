-- +goose Up

-- The figures of all providers over one day in UTC, as JSON: counted from the ledger and the observations once the day is
-- over, and again each night while a scorecard reaches so far back. They can be dropped: what is missing is counted anew.
CREATE TABLE provider_days (
    day        BIGINT NOT NULL PRIMARY KEY,
    figures    TEXT NOT NULL,
    counted_at BIGINT NOT NULL
);
