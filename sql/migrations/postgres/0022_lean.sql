-- +goose Up

-- A step that has ended for good is removed, so the table holds what is to be done and nothing else. No index knows the
-- state or the lease of a step: beginning one and renewing it touch no index (a heap-only update, with room left on the page).
DELETE FROM steps WHERE state = 'done' AND kind IN ('lead:created', 'lead:deliver');
DROP INDEX steps_queued;
DROP INDEX steps_running;
DROP INDEX steps_waiting;
DROP INDEX steps_failed;
DROP INDEX steps_by_failure;
CREATE INDEX steps_handed ON steps (queued_at) WHERE queued_at > 0;
CREATE INDEX steps_waiting ON steps (due_at) WHERE due_at > 0;
CREATE INDEX steps_by_failure ON steps (failed_at, kind, id, epoch) WHERE failed_at > 0;
ALTER TABLE steps SET (fillfactor = 60);

-- What decisions on one company share, by the hash of what it says; a decision without a sheet is whole in its body.
CREATE TABLE sheets (
    hash text COLLATE "C" PRIMARY KEY,
    body text NOT NULL
);
ALTER TABLE decisions ADD COLUMN sheet text COLLATE "C" NOT NULL DEFAULT '';
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE sheets ALTER COLUMN body SET COMPRESSION lz4;
    END IF;
END $$;
-- +goose StatementEnd

-- What is decided of a lead or became of a delivery touches no index either: leads in flight are found by their steps, and
-- leads that are held by their verdict, which a decision leaves alone.
DROP INDEX leads_undecided;
DROP INDEX leads_by_status;
CREATE INDEX leads_held ON leads (id) WHERE verdict IN ('quarantine', 'confirm', 'internal');
ALTER TABLE leads SET (fillfactor = 75);
ALTER TABLE deliveries SET (fillfactor = 60);
