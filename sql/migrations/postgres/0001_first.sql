-- +goose Up

-- One person who asked. Times are microseconds since 1970 UTC, 0 = never; JSON is text, whole.
CREATE TABLE leads (
    id          text COLLATE "C" PRIMARY KEY,
    external_id text NOT NULL,
    email       text NOT NULL,
    email_key   text NOT NULL,
    host        text NOT NULL,
    domain      text NOT NULL,
    verdict     text NOT NULL,
    codes       text NOT NULL,
    email_class text NOT NULL,
    role        boolean NOT NULL,
    spendable   boolean NOT NULL,
    status      text NOT NULL,
    name        text NOT NULL,
    first_name  text NOT NULL,
    last_name   text NOT NULL,
    company     text NOT NULL,
    website     text NOT NULL,
    job_title   text NOT NULL,
    phone       text NOT NULL,
    country     text NOT NULL,
    form        text NOT NULL,
    source      text NOT NULL,
    utm         text NOT NULL,
    consent     text NOT NULL,
    fields      text NOT NULL,
    epoch       integer NOT NULL,
    touches     integer NOT NULL DEFAULT 0,
    touched_at  bigint NOT NULL DEFAULT 0,
    created_at  bigint NOT NULL,
    decided_at  bigint NOT NULL DEFAULT 0
);
CREATE INDEX leads_undecided ON leads (created_at) WHERE status = 'accepted';
CREATE INDEX leads_by_status ON leads (status, id);
CREATE INDEX leads_by_person ON leads (email_key, form, created_at);
CREATE INDEX leads_by_domain ON leads (domain);

-- The newest lead of a person and form: its primary key is what makes parallel posts of one person one lead.
CREATE TABLE repeats (
    email_key  text NOT NULL,
    form       text NOT NULL,
    lead_id    text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (email_key, form)
);

-- What a caller's key was answered, to be answered again.
CREATE TABLE idempotency (
    token      text NOT NULL,
    key        text NOT NULL,
    body_hash  text NOT NULL,
    receipt    text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (token, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- People who must not be stored, by a keyed hash of their address or domain, in hex.
CREATE TABLE suppressions (
    hash       text PRIMARY KEY,
    reason     text NOT NULL,
    created_at bigint NOT NULL
);

-- The account behind a domain: the facts that merging last made of its observations.
CREATE TABLE companies (
    domain     text PRIMARY KEY,
    facts      text NOT NULL,
    updated_at bigint NOT NULL
);

-- Domains that an account is known by: 'account' for its own, 'alias' for others.
CREATE TABLE company_domains (
    domain         text PRIMARY KEY,
    company_domain text NOT NULL,
    kind           text NOT NULL
);

-- Who owns an account. The primary key decides the race for first ownership.
CREATE TABLE company_owners (
    domain     text PRIMARY KEY,
    rep        text NOT NULL,
    source     text NOT NULL,
    lead_id    text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL
);

-- Who holds an open lead of a person.
CREATE TABLE person_owners (
    email_key  text PRIMARY KEY,
    rep        text NOT NULL,
    source     text NOT NULL,
    lead_id    text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL
);

-- One value of one field from one source at one time: append-only.
CREATE TABLE observations (
    id          text COLLATE "C" PRIMARY KEY,
    entity      text NOT NULL,
    field       text NOT NULL,
    value       text NOT NULL,
    absent      boolean NOT NULL,
    source      text NOT NULL,
    class       text NOT NULL,
    ref         text NOT NULL,
    method      text NOT NULL,
    confidence  double precision NOT NULL,
    observed_at bigint NOT NULL,
    fetched_at  bigint NOT NULL,
    cost_micros bigint NOT NULL,
    request_id  text NOT NULL,
    run_id      text NOT NULL
);
CREATE INDEX observations_by_entity ON observations (entity, class);

-- Immutable: one per lead and epoch. The columns are for lists and sums, body is the whole.
CREATE TABLE decisions (
    lead_id      text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch        integer NOT NULL,
    tier         text NOT NULL,
    score_tenths bigint NOT NULL,
    lo_tenths    bigint NOT NULL,
    hi_tenths    bigint NOT NULL,
    coverage     double precision NOT NULL,
    confidence   double precision NOT NULL,
    settled      boolean NOT NULL,
    provisional  boolean NOT NULL,
    undecided    boolean NOT NULL,
    stop         text NOT NULL,
    rule         text NOT NULL,
    target       text NOT NULL,
    owner        text NOT NULL,
    territory    text NOT NULL,
    calls        integer NOT NULL,
    cost_micros  bigint NOT NULL,
    took_us      bigint NOT NULL,
    decided_at   bigint NOT NULL,
    body         text NOT NULL,
    PRIMARY KEY (lead_id, epoch)
);
CREATE INDEX decisions_by_tier ON decisions (tier, lead_id);
CREATE INDEX decisions_by_owner ON decisions (owner, lead_id);

-- Who got the lead. credits is the log of the rotation: pool -> rep -> [before, after].
CREATE TABLE assignments (
    lead_id     text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch       integer NOT NULL,
    rep         text NOT NULL,
    pool        text NOT NULL,
    rule        text NOT NULL,
    target      text NOT NULL,
    status      text NOT NULL,
    counts      boolean NOT NULL,
    seq         bigint NOT NULL,
    day         text NOT NULL,
    credits     text NOT NULL,
    accept_by   bigint NOT NULL,
    touch_by    bigint NOT NULL,
    assigned_at bigint NOT NULL,
    PRIMARY KEY (lead_id, epoch)
);
CREATE INDEX assignments_by_rep ON assignments (rep, status);

-- One row per rotation pool: locking it serialises the pool.
CREATE TABLE pools (
    id text PRIMARY KEY
);

-- Credit is the leads that a rep is owed, in millionths; the sum of a pool is 0.
CREATE TABLE pool_members (
    pool   text NOT NULL,
    rep    text NOT NULL,
    credit bigint NOT NULL,
    PRIMARY KEY (pool, rep)
);

-- What the rotation and the caps know of a rep.
CREATE TABLE reps (
    id         text PRIMARY KEY,
    last_seq   bigint NOT NULL DEFAULT 0,
    open_leads integer NOT NULL DEFAULT 0
);
CREATE INDEX reps_by_seq ON reps (last_seq);

-- Leads assigned to a rep on a day of the rep's own calendar.
CREATE TABLE rep_days (
    rep      text NOT NULL,
    day      text NOT NULL,
    assigned integer NOT NULL,
    PRIMARY KEY (rep, day)
);

-- The unit of retry. run rises whenever the step is handed out; only the newest run may write.
CREATE TABLE steps (
    kind        text NOT NULL,
    id          text COLLATE "C" NOT NULL,
    epoch       integer NOT NULL,
    lead_id     text COLLATE "C" NOT NULL,
    run         integer NOT NULL,
    queue       text NOT NULL,
    state       text NOT NULL,
    due_at      bigint NOT NULL DEFAULT 0,
    lease_until bigint NOT NULL DEFAULT 0,
    queued_at   bigint NOT NULL DEFAULT 0,
    attempts    integer NOT NULL DEFAULT 0,
    error_kind  text NOT NULL DEFAULT '',
    note        text NOT NULL DEFAULT '',
    PRIMARY KEY (kind, id, epoch)
);
CREATE INDEX steps_queued ON steps (queued_at) WHERE state = 'queued';
CREATE INDEX steps_running ON steps (lease_until) WHERE state = 'running';
CREATE INDEX steps_waiting ON steps (due_at) WHERE state = 'waiting';
CREATE INDEX steps_failed ON steps (kind, id) WHERE state = 'failed';

-- Steps that are still to be put on the queue, oldest first.
CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind          text NOT NULL,
    step_id       text COLLATE "C" NOT NULL,
    epoch         integer NOT NULL,
    run           integer NOT NULL,
    queue         text NOT NULL,
    created_at    bigint NOT NULL,
    claimed_until bigint NOT NULL DEFAULT 0
);
CREATE INDEX outbox_by_step ON outbox (step_id);

-- One event on its way to one target.
CREATE TABLE deliveries (
    id         text COLLATE "C" PRIMARY KEY,
    event      text NOT NULL,
    target     text NOT NULL,
    key        text NOT NULL,
    lead_id    text COLLATE "C" NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    epoch      integer NOT NULL,
    body       text NOT NULL,
    state      text NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    last_note  text NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    UNIQUE (event, lead_id, epoch, target)
);
CREATE INDEX deliveries_by_lead ON deliveries (lead_id, epoch);

-- What a provider said of a domain, hit ('') or miss, so that it is paid for once.
CREATE TABLE answers (
    provider     text NOT NULL,
    domain       text NOT NULL,
    kind         text NOT NULL,
    observations text NOT NULL,
    cost_micros  bigint NOT NULL,
    fetched_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    PRIMARY KEY (provider, domain)
);
CREATE INDEX answers_by_domain ON answers (domain);

-- The ledger: every call with its outcome and price.
CREATE TABLE provider_calls (
    id          text COLLATE "C" PRIMARY KEY,
    provider    text NOT NULL,
    domain      text NOT NULL,
    outcome     text NOT NULL,
    cost_micros bigint NOT NULL,
    took_us     bigint NOT NULL,
    called_at   bigint NOT NULL
);
CREATE INDEX provider_calls_by_time ON provider_calls (provider, called_at);

-- How each provider fares, as workers publish it.
CREATE TABLE provider_states (
    provider     text PRIMARY KEY,
    breaker      text NOT NULL,
    paused_until bigint NOT NULL,
    pause_reason text NOT NULL,
    changed_at   bigint NOT NULL
);

-- Bearer tokens: never the value, only its SHA-256 in hex.
CREATE TABLE tokens (
    id           text COLLATE "C" PRIMARY KEY,
    description  text NOT NULL,
    group_name   text NOT NULL,
    scopes       text NOT NULL,
    hash         text NOT NULL UNIQUE,
    prefix       text NOT NULL,
    last4        text NOT NULL,
    created_by   text NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    revoked_at   bigint NOT NULL DEFAULT 0,
    last_used_at bigint NOT NULL DEFAULT 0
);

-- People who may open the pages.
CREATE TABLE users (
    name          text PRIMARY KEY,
    role          text NOT NULL,
    password_hash bytea NOT NULL,
    created_at    bigint NOT NULL
);

-- One login each, by the SHA-256 of its cookie in hex.
CREATE TABLE sessions (
    hash       text PRIMARY KEY,
    user_name  text NOT NULL,
    role       text NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_name);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Who did what to what. Append-only: the triggers below refuse changes.
CREATE TABLE audit (
    id     text COLLATE "C" PRIMARY KEY,
    at     bigint NOT NULL,
    actor  text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    detail text NOT NULL
);
CREATE INDEX audit_by_time ON audit (at, id);

-- Every configuration file that a decision was made with, byte for byte.
CREATE TABLE configs (
    hash       text PRIMARY KEY,
    kind       text NOT NULL,
    name       text NOT NULL,
    version    integer NOT NULL,
    bytes      bytea NOT NULL,
    created_at bigint NOT NULL
);

-- One sequence over all pools: the order in which reps were last served.
CREATE SEQUENCE assignment_seq AS bigint;

-- +goose StatementBegin
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
