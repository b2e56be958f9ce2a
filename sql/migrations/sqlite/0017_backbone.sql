-- +goose Up

-- kills: how many workers died while they ran the step; failed_at: since when it has been put aside, 0 = it is not.
ALTER TABLE steps ADD COLUMN kills INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN failed_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX steps_by_failure ON steps (failed_at, kind, id, epoch) WHERE state = 'failed';

-- One row per periodic job: the last tick that was run, by whom, and until when that run may last.
CREATE TABLE jobs (
    name       TEXT NOT NULL PRIMARY KEY,
    holder     TEXT NOT NULL,
    tick       BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    ran_at     BIGINT NOT NULL
);
