-- +goose Up

-- Remarks beside a decision, which itself is never changed: what the data says that came after it.
CREATE TABLE notices (
    lead_id TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (lead_id, epoch, kind)
) WITHOUT ROWID;
