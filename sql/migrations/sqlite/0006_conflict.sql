-- +goose Up

-- A field of a company on which sources contradict each other: one open row per company and field.
-- candidates begin with the chosen one; told = the event of this opening was written.
CREATE TABLE conflicts (
    id          TEXT NOT NULL PRIMARY KEY,
    entity      TEXT NOT NULL,
    field       TEXT NOT NULL,
    candidates  TEXT NOT NULL,
    chosen      TEXT NOT NULL,
    margin      REAL NOT NULL,
    severity    TEXT NOT NULL,
    status      TEXT NOT NULL,
    resolved_by TEXT NOT NULL,
    told        BOOLEAN NOT NULL,
    lead_id     TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    opened_at   BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX conflicts_open ON conflicts (entity, field) WHERE status = 'open';
CREATE INDEX conflicts_by_status ON conflicts (status, severity, id);

-- The domains of a company are looked up for every lead.
CREATE INDEX company_domains_by_company ON company_domains (company_domain);

-- One lead may open several conflicts: what a target is told once is an event's key.
CREATE TABLE deliveries_once (
    id         TEXT NOT NULL PRIMARY KEY,
    event      TEXT NOT NULL,
    target     TEXT NOT NULL,
    key        TEXT NOT NULL,
    lead_id    TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch      INTEGER NOT NULL,
    body       TEXT NOT NULL,
    state      TEXT NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_note  TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (target, key)
);
INSERT INTO deliveries_once SELECT id, event, target, key, lead_id, epoch, body, state, attempts, last_note,
    created_at, updated_at FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_once RENAME TO deliveries;
CREATE INDEX deliveries_by_lead ON deliveries (lead_id, epoch);
