-- +goose Up

-- What each criterion of a profile earned on decided leads: JSON, in 1/10,000 of its weight. One row per edition of the
-- profile, by the hash of its file; never changed, because decisions were made with it.
CREATE TABLE portfolio_means (
    profile   TEXT NOT NULL PRIMARY KEY,
    leads     INTEGER NOT NULL,
    means     TEXT NOT NULL,
    frozen_at BIGINT NOT NULL
);
