-- +goose Up

-- One person who asked. Times are microseconds since 1970 UTC, 0 = never; JSON is text, whole.
CREATE TABLE leads (
    id          TEXT NOT NULL PRIMARY KEY,
    external_id TEXT NOT NULL,
    email       TEXT NOT NULL,
    email_key   TEXT NOT NULL,
    host        TEXT NOT NULL,
    domain      TEXT NOT NULL,
    verdict     TEXT NOT NULL,
    codes       TEXT NOT NULL,
    email_class TEXT NOT NULL,
    role        BOOLEAN NOT NULL,
    spendable   BOOLEAN NOT NULL,
    status      TEXT NOT NULL,
    name        TEXT NOT NULL,
    first_name  TEXT NOT NULL,
    last_name   TEXT NOT NULL,
    company     TEXT NOT NULL,
    website     TEXT NOT NULL,
    job_title   TEXT NOT NULL,
    phone       TEXT NOT NULL,
    country     TEXT NOT NULL,
    form        TEXT NOT NULL,
    source      TEXT NOT NULL,
    utm         TEXT NOT NULL,
    consent     TEXT NOT NULL,
    fields      TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    touches     INTEGER NOT NULL DEFAULT 0,
    touched_at  BIGINT NOT NULL DEFAULT 0,
    created_at  BIGINT NOT NULL,
    decided_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX leads_undecided ON leads (created_at) WHERE status = 'accepted';
CREATE INDEX leads_by_status ON leads (status, id);
CREATE INDEX leads_by_person ON leads (email_key, form, created_at);
CREATE INDEX leads_by_domain ON leads (domain);

-- The newest lead of a person and form: its primary key is what makes parallel posts of one person one lead.
CREATE TABLE repeats (
    email_key  TEXT NOT NULL,
    form       TEXT NOT NULL,
    lead_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (email_key, form)
) WITHOUT ROWID;

-- What a caller's key was answered, to be answered again.
CREATE TABLE idempotency (
    token      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    receipt    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- People who must not be stored, by a keyed hash of their address or domain, in hex.
CREATE TABLE suppressions (
    hash       TEXT NOT NULL PRIMARY KEY,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- The account behind a domain: the facts that merging last made of its observations.
CREATE TABLE companies (
    domain     TEXT NOT NULL PRIMARY KEY,
    facts      TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Domains that an account is known by: 'account' for its own, 'alias' for others.
CREATE TABLE company_domains (
    domain         TEXT NOT NULL PRIMARY KEY,
    company_domain TEXT NOT NULL,
    kind           TEXT NOT NULL
) WITHOUT ROWID;

-- Who owns an account. The primary key decides the race for first ownership.
CREATE TABLE company_owners (
    domain     TEXT NOT NULL PRIMARY KEY,
    rep        TEXT NOT NULL,
    source     TEXT NOT NULL,
    lead_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Who holds an open lead of a person.
CREATE TABLE person_owners (
    email_key  TEXT NOT NULL PRIMARY KEY,
    rep        TEXT NOT NULL,
    source     TEXT NOT NULL,
    lead_id    TEXT NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- One value of one field from one source at one time: append-only.
CREATE TABLE observations (
    id          TEXT NOT NULL PRIMARY KEY,
    entity      TEXT NOT NULL,
    field       TEXT NOT NULL,
    value       TEXT NOT NULL,
    absent      BOOLEAN NOT NULL,
    source      TEXT NOT NULL,
    class       TEXT NOT NULL,
    ref         TEXT NOT NULL,
    method      TEXT NOT NULL,
    confidence  REAL NOT NULL,
    observed_at BIGINT NOT NULL,
    fetched_at  BIGINT NOT NULL,
    cost_micros BIGINT NOT NULL,
    request_id  TEXT NOT NULL,
    run_id      TEXT NOT NULL
);
CREATE INDEX observations_by_entity ON observations (entity, class);

-- Immutable: one per lead and epoch. The columns are for lists and sums, body is the whole.
CREATE TABLE decisions (
    lead_id      TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch        INTEGER NOT NULL,
    tier         TEXT NOT NULL,
    score_tenths BIGINT NOT NULL,
    lo_tenths    BIGINT NOT NULL,
    hi_tenths    BIGINT NOT NULL,
    coverage     REAL NOT NULL,
    confidence   REAL NOT NULL,
    settled      BOOLEAN NOT NULL,
    provisional  BOOLEAN NOT NULL,
    undecided    BOOLEAN NOT NULL,
    stop         TEXT NOT NULL,
    rule         TEXT NOT NULL,
    target       TEXT NOT NULL,
    owner        TEXT NOT NULL,
    territory    TEXT NOT NULL,
    calls        INTEGER NOT NULL,
    cost_micros  BIGINT NOT NULL,
    took_us      BIGINT NOT NULL,
    decided_at   BIGINT NOT NULL,
    body         TEXT NOT NULL,
    PRIMARY KEY (lead_id, epoch)
);
CREATE INDEX decisions_by_tier ON decisions (tier, lead_id);
CREATE INDEX decisions_by_owner ON decisions (owner, lead_id);

-- Who got the lead. credits is the log of the rotation: pool -> rep -> [before, after].
CREATE TABLE assignments (
    lead_id     TEXT NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch       INTEGER NOT NULL,
    rep         TEXT NOT NULL,
    pool        TEXT NOT NULL,
    rule        TEXT NOT NULL,
    target      TEXT NOT NULL,
    status      TEXT NOT NULL,
    counts      BOOLEAN NOT NULL,
    seq         BIGINT NOT NULL,
    day         TEXT NOT NULL,
    credits     TEXT NOT NULL,
    accept_by   BIGINT NOT NULL,
    touch_by    BIGINT NOT NULL,
    assigned_at BIGINT NOT NULL,
    PRIMARY KEY (lead_id, epoch)
) WITHOUT ROWID;
CREATE INDEX assignments_by_rep ON assignments (rep, status);

-- One row per rotation pool: locking it serialises the pool.
CREATE TABLE pools (
    id TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

-- Credit is the leads that a rep is owed, in millionths; the sum of a pool is 0.
CREATE TABLE pool_members (
    pool   TEXT NOT NULL,
    rep    TEXT NOT NULL,
    credit BIGINT NOT NULL,
    PRIMARY KEY (pool, rep)
) WITHOUT ROWID;

-- What the rotation and the caps know of a rep.
CREATE TABLE reps (
    id         TEXT NOT NULL PRIMARY KEY,
    last_seq   BIGINT NOT NULL DEFAULT 0,
    open_leads INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX reps_by_seq ON reps (last_seq);

-- Leads assigned to a rep on a day of the rep's own calendar.
CREATE TABLE rep_days (
    rep      TEXT NOT NULL,
    day      TEXT NOT NULL,
    assigned INTEGER NOT NULL,
    PRIMARY KEY (rep, day)
) WITHOUT ROWID;

-- The unit of retry. run rises whenever the step is handed out; only the newest run may write.
CREATE TABLE steps (
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    lead_id     TEXT NOT NULL,
    run         INTEGER NOT NULL,
    queue       TEXT NOT NULL,
    state       TEXT NOT NULL,
    due_at      BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    queued_at   BIGINT NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL DEFAULT 0,
    error_kind  TEXT NOT NULL DEFAULT '',
    note        TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (kind, id, epoch)
) WITHOUT ROWID;
CREATE INDEX steps_queued ON steps (queued_at) WHERE state = 'queued';
CREATE INDEX steps_running ON steps (lease_until) WHERE state = 'running';
CREATE INDEX steps_waiting ON steps (due_at) WHERE state = 'waiting';
CREATE INDEX steps_failed ON steps (kind, id) WHERE state = 'failed';

-- Steps that are still to be put on the queue, oldest first.
CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    step_id       TEXT NOT NULL,
    epoch         INTEGER NOT NULL,
    run           INTEGER NOT NULL,
    queue         TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_by_step ON outbox (step_id);

-- One event on its way to one target.
CREATE TABLE deliveries (
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
    UNIQUE (event, lead_id, epoch, target)
);
CREATE INDEX deliveries_by_lead ON deliveries (lead_id, epoch);

-- What a provider said of a domain, hit ('') or miss, so that it is paid for once.
CREATE TABLE answers (
    provider     TEXT NOT NULL,
    domain       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    observations TEXT NOT NULL,
    cost_micros  BIGINT NOT NULL,
    fetched_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (provider, domain)
);
CREATE INDEX answers_by_domain ON answers (domain);

-- The ledger: every call with its outcome and price.
CREATE TABLE provider_calls (
    id          TEXT NOT NULL PRIMARY KEY,
    provider    TEXT NOT NULL,
    domain      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    cost_micros BIGINT NOT NULL,
    took_us     BIGINT NOT NULL,
    called_at   BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX provider_calls_by_time ON provider_calls (provider, called_at);

-- How each provider fares, as workers publish it.
CREATE TABLE provider_states (
    provider     TEXT NOT NULL PRIMARY KEY,
    breaker      TEXT NOT NULL,
    paused_until BIGINT NOT NULL,
    pause_reason TEXT NOT NULL,
    changed_at   BIGINT NOT NULL
) WITHOUT ROWID;

-- Bearer tokens: never the value, only its SHA-256 in hex.
CREATE TABLE tokens (
    id           TEXT NOT NULL PRIMARY KEY,
    description  TEXT NOT NULL,
    group_name   TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    prefix       TEXT NOT NULL,
    last4        TEXT NOT NULL,
    created_by   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- People who may open the pages.
CREATE TABLE users (
    name          TEXT NOT NULL PRIMARY KEY,
    role          TEXT NOT NULL,
    password_hash BLOB NOT NULL,
    created_at    BIGINT NOT NULL
) WITHOUT ROWID;

-- One login each, by the SHA-256 of its cookie in hex.
CREATE TABLE sessions (
    hash       TEXT NOT NULL PRIMARY KEY,
    user_name  TEXT NOT NULL,
    role       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_name);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Who did what to what. Append-only: the triggers below refuse changes.
CREATE TABLE audit (
    id     TEXT NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_by_time ON audit (at, id);

-- Every configuration file that a decision was made with, byte for byte.
CREATE TABLE configs (
    hash       TEXT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    bytes      BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'audit is append-only');
END;
-- +goose StatementEnd
