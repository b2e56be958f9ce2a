-- +goose Up

-- What is spent of a day, reservations included: of everything, of a provider, of a source of leads.
CREATE TABLE budgets (
    scope        text COLLATE "C" NOT NULL,
    day          text NOT NULL,
    spent_micros bigint NOT NULL,
    PRIMARY KEY (scope, day)
);

-- Who may ask a provider about a company, and what is reserved for it in the budgets (a JSON list of scopes). The row of
-- a claim that ended says how, for those who waited.
CREATE TABLE provider_claims (
    provider        text NOT NULL,
    domain          text NOT NULL,
    token           text NOT NULL,
    day             text NOT NULL,
    scopes          text NOT NULL,
    reserved_micros bigint NOT NULL,
    lease_until     bigint NOT NULL,
    ended_at        bigint NOT NULL,
    kind            text NOT NULL,
    cause           text NOT NULL,
    retry_us        bigint NOT NULL,
    PRIMARY KEY (provider, domain)
);
CREATE INDEX provider_claims_open ON provider_claims (lease_until) WHERE ended_at = 0;
