-- name: answers
-- As the general text, with SQLite's function for a JSON list.
SELECT q.provider AS provider, q.domain AS domain, a.provider IS NOT NULL AS held, COALESCE(a.kind, '') AS kind,
       COALESCE(a.observations, '') AS observations,
       COALESCE(a.cost_micros, 0) AS cost_micros, COALESCE(a.fetched_at, 0) AS fetched_at,
       COALESCE(a.fresh_until, 0) AS fresh_until, COALESCE(a.expires_at, 0) AS expires_at, COALESCE(a.misses, 0) AS misses,
       COALESCE(c.token, '') AS token, COALESCE(c.lease_until, 0) AS lease_until, COALESCE(c.ended_at, 0) AS ended_at,
       COALESCE(c.kind, '') AS failure, COALESCE(c.cause, '') AS cause, COALESCE(c.retry_us, 0) AS retry_us,
       COALESCE(c.pending_at, 0) AS pending_at, COALESCE(c.polled, FALSE) AS polled
FROM (SELECT r.value->>'provider' AS provider, r.value->>'domain' AS domain FROM json_each(:rows) AS r) AS q
LEFT JOIN answers a ON a.provider = q.provider AND a.domain = q.domain
LEFT JOIN provider_claims c ON c.provider = q.provider AND c.domain = q.domain;
