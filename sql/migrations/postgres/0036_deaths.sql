-- +goose Up
-- worker: the process that began the step's last run, empty before there was one.
ALTER TABLE steps ADD COLUMN worker text NOT NULL DEFAULT '';

-- The processes that died with work in hand, each once. How many died without a step tells whether the step is to blame.
CREATE TABLE worker_deaths (
    worker   text PRIMARY KEY,
    noted_at bigint NOT NULL
);
