-- name: answers-of
-- What every provider last said of the domain.
SELECT provider, domain, kind, observations, cost_micros, fetched_at, fresh_until, expires_at, misses
FROM answers
WHERE domain = :domain
ORDER BY provider;

-- name: save-provider-state
-- Keeps the newest word on a provider; of two pauses the longer one. Who tells of the
-- breaker only takes back no pause: it may not have heard of it yet.
INSERT INTO provider_states (provider, breaker, paused_until, pause_reason, changed_at)
VALUES (:provider, :breaker, :paused_until, :pause_reason, :changed_at)
ON CONFLICT (provider) DO UPDATE
SET breaker = excluded.breaker, changed_at = excluded.changed_at,
    paused_until = CASE WHEN (CAST(:breaker_only AS boolean) OR excluded.pause_reason <> '') AND provider_states.paused_until > excluded.paused_until
                        THEN provider_states.paused_until ELSE excluded.paused_until END,
    pause_reason = CASE WHEN (CAST(:breaker_only AS boolean) OR excluded.pause_reason <> '') AND provider_states.paused_until > excluded.paused_until
                        THEN provider_states.pause_reason ELSE excluded.pause_reason END
WHERE provider_states.changed_at <= excluded.changed_at;

-- name: provider-states
-- All of them.
SELECT provider, breaker, paused_until, pause_reason, changed_at FROM provider_states ORDER BY provider;

-- name: answers
-- One row for each question: what the provider last said of the domain, however old, and the last claim to ask it.
SELECT q.provider AS provider, q.domain AS domain, a.provider IS NOT NULL AS held, COALESCE(a.kind, '') AS kind,
       COALESCE(a.observations, '') AS observations,
       COALESCE(a.cost_micros, 0) AS cost_micros, COALESCE(a.fetched_at, 0) AS fetched_at,
       COALESCE(a.fresh_until, 0) AS fresh_until, COALESCE(a.expires_at, 0) AS expires_at, COALESCE(a.misses, 0) AS misses,
       COALESCE(c.token, '') AS token, COALESCE(c.lease_until, 0) AS lease_until, COALESCE(c.ended_at, 0) AS ended_at,
       COALESCE(c.kind, '') AS failure, COALESCE(c.cause, '') AS cause, COALESCE(c.retry_us, 0) AS retry_us,
       COALESCE(c.pending_at, 0) AS pending_at, COALESCE(c.polled, FALSE) AS polled
FROM unnest(CAST(:provider AS text[]), CAST(:domain AS text[])) AS q(provider, domain)
LEFT JOIN answers a ON a.provider = q.provider AND a.domain = q.domain
LEFT JOIN provider_claims c ON c.provider = q.provider AND c.domain = q.domain;
