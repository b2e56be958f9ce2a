-- +goose Up
-- What is under watch is looked for at every sweep; there is hardly ever any.
CREATE INDEX steps_watched ON steps (queued_at) WHERE kills > 1;
