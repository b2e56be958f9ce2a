-- name: answer
-- What the provider said of the domain, while it is fresh.
SELECT provider, domain, kind, observations, cost_micros, fetched_at, expires_at
FROM answers
WHERE provider = :provider AND domain = :domain AND (expires_at = 0 OR expires_at > :now);

-- name: save-answer
-- Holds the newer answer.
INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, expires_at)
VALUES (:provider, :domain, :kind, :observations, :cost_micros, :fetched_at, :expires_at)
ON CONFLICT (provider, domain) DO UPDATE
SET kind = excluded.kind, observations = excluded.observations, cost_micros = excluded.cost_micros,
    fetched_at = excluded.fetched_at, expires_at = excluded.expires_at
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
