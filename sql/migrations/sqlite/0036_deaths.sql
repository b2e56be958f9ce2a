-- +goose Up
-- worker: the process that began the step's last run, empty before there was one.
ALTER TABLE steps ADD COLUMN worker TEXT NOT NULL DEFAULT '';

-- The processes that died with work in hand, each once. How many died without a step tells whether the step is to blame.
CREATE TABLE worker_deaths (
    worker   TEXT PRIMARY KEY,
    noted_at INTEGER NOT NULL
);
