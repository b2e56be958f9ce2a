-- +goose Up

-- What is spent of a day, reservations included: of everything, of a provider, of a source of leads.
CREATE TABLE budgets (
    scope        TEXT NOT NULL,
    day          TEXT NOT NULL,
    spent_micros BIGINT NOT NULL,
    PRIMARY KEY (scope, day)
);

-- Who may ask a provider about a company, and what is reserved for it in the budgets (a JSON list of scopes). The row of
-- a claim that ended says how, for those who waited.
CREATE TABLE provider_claims (
    provider        TEXT NOT NULL,
    domain          TEXT NOT NULL,
    token           TEXT NOT NULL,
    day             TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    reserved_micros BIGINT NOT NULL,
    lease_until     BIGINT NOT NULL,
    ended_at        BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    cause           TEXT NOT NULL,
    retry_us        BIGINT NOT NULL,
    PRIMARY KEY (provider, domain)
);
CREATE INDEX provider_claims_open ON provider_claims (lease_until) WHERE ended_at = 0;
