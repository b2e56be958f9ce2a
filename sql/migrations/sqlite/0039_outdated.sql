-- +goose Up

-- outdated: forms said something newer of the field, and nobody reads this any more. Words of before are marked as the next
-- words of their companies come. The index still serves a program that does not ask for it.
ALTER TABLE observations ADD COLUMN outdated BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX observations_by_entity;
CREATE INDEX observations_standing ON observations (entity, outdated, class);

-- A sweep reads what was handed out; what ended before there was a look at it stood among that for good.
UPDATE steps SET queued_at = 0 WHERE queued_at > 0 AND state = 'done';
