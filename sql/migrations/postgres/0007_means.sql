-- +goose Up

-- What each criterion of a profile earned on decided leads: JSON, in 1/10,000 of its weight. One row per edition of the
-- profile, by the hash of its file; never changed, because decisions were made with it.
CREATE TABLE portfolio_means (
    profile   text PRIMARY KEY,
    leads     integer NOT NULL,
    means     text NOT NULL,
    frozen_at bigint NOT NULL
);
