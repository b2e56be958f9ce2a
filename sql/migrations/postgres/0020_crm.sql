-- +goose Up

-- A record of a CRM by what it is found by (a domain, or a hash of an address), and who may write it just now. wants is a
-- hash of what was wanted when it was last brought up to date.
CREATE TABLE crm_records (
    crm        text COLLATE "C" NOT NULL,
    object     text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    record_id  text NOT NULL,
    url        text NOT NULL,
    wants      text NOT NULL,
    synced_at  bigint NOT NULL,
    token      text NOT NULL,
    held_until bigint NOT NULL,
    PRIMARY KEY (crm, object, key)
);

-- What we wrote last into each field of each record: the base of the merge. released = a person took it over since.
CREATE TABLE crm_fields (
    crm         text COLLATE "C" NOT NULL,
    object      text COLLATE "C" NOT NULL,
    record_id   text COLLATE "C" NOT NULL,
    field       text COLLATE "C" NOT NULL,
    norm        text NOT NULL,
    raw_hash    text NOT NULL,
    source      text NOT NULL,
    confidence  double precision NOT NULL,
    observed_at bigint NOT NULL,
    written_at  bigint NOT NULL,
    lead_id     text NOT NULL,
    run         text NOT NULL,
    released    boolean NOT NULL,
    PRIMARY KEY (crm, object, record_id, field)
);

-- Every write of a field with before and after, in the CRM's own form. state: sent (written down before the call), done,
-- void (it did not happen).
CREATE TABLE crm_writes (
    id          text COLLATE "C" NOT NULL PRIMARY KEY,
    run         text COLLATE "C" NOT NULL,
    crm         text NOT NULL,
    object      text NOT NULL,
    key         text NOT NULL,
    record_id   text NOT NULL,
    url         text NOT NULL,
    field       text NOT NULL,
    before_raw  text NOT NULL,
    before_norm text NOT NULL,
    after_raw   text NOT NULL,
    after_norm  text NOT NULL,
    created     boolean NOT NULL,
    source      text NOT NULL,
    confidence  double precision NOT NULL,
    observed_at bigint NOT NULL,
    lead_id     text NOT NULL,
    actor       text NOT NULL,
    state       text NOT NULL,
    written_at  bigint NOT NULL
);
CREATE INDEX crm_writes_by_run ON crm_writes (run);
CREATE INDEX crm_writes_by_lead ON crm_writes (lead_id);
CREATE INDEX crm_writes_sent ON crm_writes (crm, object, key) WHERE state = 'sent';

-- What became of each field of one record in one run: outcomes is JSON, without values.
CREATE TABLE crm_runs (
    run        text COLLATE "C" NOT NULL,
    crm        text COLLATE "C" NOT NULL,
    object     text COLLATE "C" NOT NULL,
    record_id  text COLLATE "C" NOT NULL,
    kind       text NOT NULL,
    lead_id    text NOT NULL,
    actor      text NOT NULL,
    outcomes   text NOT NULL,
    settled_at bigint NOT NULL,
    PRIMARY KEY (run, crm, object, record_id)
);

-- A field in which a CRM holds another value than ours.
CREATE TABLE crm_conflicts (
    id          text COLLATE "C" NOT NULL PRIMARY KEY,
    crm         text NOT NULL,
    object      text NOT NULL,
    record_id   text NOT NULL,
    url         text NOT NULL,
    field       text NOT NULL,
    theirs_raw  text NOT NULL,
    theirs_norm text NOT NULL,
    ours_raw    text NOT NULL,
    ours_norm   text NOT NULL,
    source      text NOT NULL,
    confidence  double precision NOT NULL,
    observed_at bigint NOT NULL,
    evidence    text NOT NULL,
    lead_id     text NOT NULL,
    status      text NOT NULL,
    resolution  text NOT NULL,
    resolved_by text NOT NULL,
    first_seen  bigint NOT NULL,
    last_seen   bigint NOT NULL,
    UNIQUE (crm, object, record_id, field)
);
