-- +goose Up

-- A field of a company on which sources contradict each other: one open row per company and field.
-- candidates begin with the chosen one; told = the event of this opening was written.
CREATE TABLE conflicts (
    id          text COLLATE "C" PRIMARY KEY,
    entity      text NOT NULL,
    field       text NOT NULL,
    candidates  text NOT NULL,
    chosen      text NOT NULL,
    margin      double precision NOT NULL,
    severity    text NOT NULL,
    status      text NOT NULL,
    resolved_by text NOT NULL,
    told        boolean NOT NULL,
    lead_id     text COLLATE "C" NOT NULL,
    epoch       integer NOT NULL,
    opened_at   bigint NOT NULL,
    updated_at  bigint NOT NULL
);
CREATE UNIQUE INDEX conflicts_open ON conflicts (entity, field) WHERE status = 'open';
CREATE INDEX conflicts_by_status ON conflicts (status, severity, id);

-- The domains of a company are looked up for every lead.
CREATE INDEX company_domains_by_company ON company_domains (company_domain);

-- One lead may open several conflicts: what a target is told once is an event's key.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_event_lead_id_epoch_target_key;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_once UNIQUE (target, key);
