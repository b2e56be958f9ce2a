-- +goose Up

-- Whether a mail host takes mail, as the DNS said. Times as everywhere: microseconds since 1970 UTC.
CREATE TABLE dns_checks (
    domain     text PRIMARY KEY,
    result     text NOT NULL,
    checked_at bigint NOT NULL
);
CREATE INDEX dns_checks_by_age ON dns_checks (checked_at);
