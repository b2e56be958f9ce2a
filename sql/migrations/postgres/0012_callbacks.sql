-- +goose Up

-- A claim whose provider said "later" stays open: since when, and whether the provider is asked again at the end of the
-- lease because nobody told it whom to call. The token is what it calls back with.
ALTER TABLE provider_claims ADD COLUMN pending_at bigint NOT NULL DEFAULT 0;
ALTER TABLE provider_claims ADD COLUMN polled boolean NOT NULL DEFAULT FALSE;
CREATE INDEX provider_claims_by_token ON provider_claims (token);
