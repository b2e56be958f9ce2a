-- +goose Up

-- Whether a mail host takes mail, as the DNS said. Times as everywhere: microseconds since 1970 UTC.
CREATE TABLE dns_checks (
    domain     TEXT NOT NULL PRIMARY KEY,
    result     TEXT NOT NULL,
    checked_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX dns_checks_by_age ON dns_checks (checked_at);
