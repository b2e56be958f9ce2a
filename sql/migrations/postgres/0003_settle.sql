-- +goose Up

-- Remarks beside a decision, which itself is never changed: what the data says that came after it.
CREATE TABLE notices (
    lead_id text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch   integer NOT NULL,
    kind    text NOT NULL,
    at      bigint NOT NULL,
    body    text NOT NULL,
    PRIMARY KEY (lead_id, epoch, kind)
);
