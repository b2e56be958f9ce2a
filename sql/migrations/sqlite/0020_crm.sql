-- +goose Up

-- A record of a CRM by what it is found by (a domain, or a hash of an address), and who may write it just now. wants is a
-- hash of what was wanted when it was last brought up to date.
CREATE TABLE crm_records (
    crm        TEXT NOT NULL,
    object     TEXT NOT NULL,
    key        TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    url        TEXT NOT NULL,
    wants      TEXT NOT NULL,
    synced_at  BIGINT NOT NULL,
    token      TEXT NOT NULL,
    held_until BIGINT NOT NULL,
    PRIMARY KEY (crm, object, key)
);

-- What we wrote last into each field of each record: the base of the merge. released = a person took it over since.
CREATE TABLE crm_fields (
    crm         TEXT NOT NULL,
    object      TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    field       TEXT NOT NULL,
    norm        TEXT NOT NULL,
    raw_hash    TEXT NOT NULL,
    source      TEXT NOT NULL,
    confidence  REAL NOT NULL,
    observed_at BIGINT NOT NULL,
    written_at  BIGINT NOT NULL,
    lead_id     TEXT NOT NULL,
    run         TEXT NOT NULL,
    released    BOOLEAN NOT NULL,
    PRIMARY KEY (crm, object, record_id, field)
);

-- Every write of a field with before and after, in the CRM's own form. state: sent (written down before the call), done,
-- void (it did not happen).
CREATE TABLE crm_writes (
    id          TEXT NOT NULL PRIMARY KEY,
    run         TEXT NOT NULL,
    crm         TEXT NOT NULL,
    object      TEXT NOT NULL,
    key         TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    url         TEXT NOT NULL,
    field       TEXT NOT NULL,
    before_raw  TEXT NOT NULL,
    before_norm TEXT NOT NULL,
    after_raw   TEXT NOT NULL,
    after_norm  TEXT NOT NULL,
    created     BOOLEAN NOT NULL,
    source      TEXT NOT NULL,
    confidence  REAL NOT NULL,
    observed_at BIGINT NOT NULL,
    lead_id     TEXT NOT NULL,
    actor       TEXT NOT NULL,
    state       TEXT NOT NULL,
    written_at  BIGINT NOT NULL
);
CREATE INDEX crm_writes_by_run ON crm_writes (run);
CREATE INDEX crm_writes_by_lead ON crm_writes (lead_id);
CREATE INDEX crm_writes_sent ON crm_writes (crm, object, key) WHERE state = 'sent';

-- What became of each field of one record in one run: outcomes is JSON, without values.
CREATE TABLE crm_runs (
    run        TEXT NOT NULL,
    crm        TEXT NOT NULL,
    object     TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    kind       TEXT NOT NULL,
    lead_id    TEXT NOT NULL,
    actor      TEXT NOT NULL,
    outcomes   TEXT NOT NULL,
    settled_at BIGINT NOT NULL,
    PRIMARY KEY (run, crm, object, record_id)
);

-- A field in which a CRM holds another value than ours.
CREATE TABLE crm_conflicts (
    id          TEXT NOT NULL PRIMARY KEY,
    crm         TEXT NOT NULL,
    object      TEXT NOT NULL,
    record_id   TEXT NOT NULL,
    url         TEXT NOT NULL,
    field       TEXT NOT NULL,
    theirs_raw  TEXT NOT NULL,
    theirs_norm TEXT NOT NULL,
    ours_raw    TEXT NOT NULL,
    ours_norm   TEXT NOT NULL,
    source      TEXT NOT NULL,
    confidence  REAL NOT NULL,
    observed_at BIGINT NOT NULL,
    evidence    TEXT NOT NULL,
    lead_id     TEXT NOT NULL,
    status      TEXT NOT NULL,
    resolution  TEXT NOT NULL,
    resolved_by TEXT NOT NULL,
    first_seen  BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    UNIQUE (crm, object, record_id, field)
);
