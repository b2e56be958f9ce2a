-- name: answer
-- What the provider last said of the domain, however old.
SELECT provider, domain, kind, observations, cost_micros, fetched_at, fresh_until, expires_at, misses
FROM answers
WHERE provider = :provider AND domain = :domain;

-- name: answers-of
-- What every provider last said of the domain.
SELECT provider, domain, kind, observations, cost_micros, fetched_at, fresh_until, expires_at, misses
FROM answers
WHERE domain = :domain
ORDER BY provider;

-- name: save-answer
-- Holds the newer answer.
INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, early_until, fresh_until, expires_at, misses)
VALUES (:provider, :domain, :kind, :observations, :cost_micros, :fetched_at, :early_until, :fresh_until, :expires_at, :misses)
ON CONFLICT (provider, domain) DO UPDATE
SET kind = excluded.kind, observations = excluded.observations, cost_micros = excluded.cost_micros,
    fetched_at = excluded.fetched_at, early_until = excluded.early_until, fresh_until = excluded.fresh_until,
    expires_at = excluded.expires_at, misses = excluded.misses
WHERE answers.fetched_at <= excluded.fetched_at;

-- name: insert-call
-- One line of the ledger.
INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
VALUES (:id, :provider, :domain, :outcome, :cost_micros, :took_us, :called_at);

-- name: save-provider-state
-- Keeps the newest word on a provider.
INSERT INTO provider_states (provider, breaker, paused_until, pause_reason, changed_at)
VALUES (:provider, :breaker, :paused_until, :pause_reason, :changed_at)
ON CONFLICT (provider) DO UPDATE
SET breaker = excluded.breaker, paused_until = excluded.paused_until, pause_reason = excluded.pause_reason,
    changed_at = excluded.changed_at
WHERE provider_states.changed_at <= excluded.changed_at;

-- name: provider-states
-- All of them.
SELECT provider, breaker, paused_until, pause_reason, changed_at FROM provider_states ORDER BY provider;
