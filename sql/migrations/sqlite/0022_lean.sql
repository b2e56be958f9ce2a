-- +goose Up

-- A step that has ended for good is removed, so the table holds what is to be done and nothing else. No index knows the
-- state or the lease of a step: beginning one and renewing it touch no index.
DELETE FROM steps WHERE state = 'done' AND kind IN ('lead:created', 'lead:deliver');
DROP INDEX steps_queued;
DROP INDEX steps_running;
DROP INDEX steps_waiting;
DROP INDEX steps_failed;
DROP INDEX steps_by_failure;
CREATE INDEX steps_handed ON steps (queued_at) WHERE queued_at > 0;
CREATE INDEX steps_waiting ON steps (due_at) WHERE due_at > 0;
CREATE INDEX steps_by_failure ON steps (failed_at, kind, id, epoch) WHERE failed_at > 0;

-- What decisions on one company share, by the hash of what it says; a decision without a sheet is whole in its body.
CREATE TABLE sheets (
    hash TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL
);
ALTER TABLE decisions ADD COLUMN sheet TEXT NOT NULL DEFAULT '';

-- What is decided of a lead touches no index either: leads in flight are found by their steps, and leads that are held by
-- their verdict, which a decision leaves alone.
DROP INDEX leads_undecided;
DROP INDEX leads_by_status;
CREATE INDEX leads_held ON leads (id) WHERE verdict IN ('quarantine', 'confirm', 'internal');
