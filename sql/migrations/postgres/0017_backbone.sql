-- +goose Up

-- kills: how many workers died while they ran the step; failed_at: since when it has been put aside, 0 = it is not.
ALTER TABLE steps ADD COLUMN kills integer NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN failed_at bigint NOT NULL DEFAULT 0;
CREATE INDEX steps_by_failure ON steps (failed_at, kind, id, epoch) WHERE state = 'failed';

-- One row per periodic job: the last tick that was run, by whom, and until when that run may last.
CREATE TABLE jobs (
    name       text NOT NULL PRIMARY KEY,
    holder     text NOT NULL,
    tick       bigint NOT NULL,
    held_until bigint NOT NULL,
    ran_at     bigint NOT NULL
);
