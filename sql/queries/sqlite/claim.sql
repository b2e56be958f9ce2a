-- name: open-budgets
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO budgets (scope, day, spent_micros)
SELECT r.value->>'scope', :day, 0 FROM json_each(:budgets) AS r WHERE TRUE
ON CONFLICT (scope, day) DO NOTHING;

-- name: claim
-- As the general text in three statements of one transaction: SQLite has one writer, so nothing need be locked.
INSERT INTO provider_claims (provider, domain, token, day, scopes, reserved_micros, lease_until, ended_at, kind, cause, retry_us)
SELECT :provider, :domain, :token, :day, :scopes, :reserved, :lease_until, 0, '', '', 0
WHERE json_array_length(:budgets) = (
    SELECT COUNT(*) FROM json_each(:budgets) AS r JOIN budgets b ON b.scope = r.value->>'scope' AND b.day = :day
    WHERE b.spent_micros + :reserved <= r.value->>'limit_micros')
ON CONFLICT (provider, domain) DO UPDATE
SET token = excluded.token, day = excluded.day, scopes = excluded.scopes, reserved_micros = excluded.reserved_micros,
    lease_until = excluded.lease_until, ended_at = 0, kind = '', cause = '', retry_us = 0, pending_at = 0, polled = FALSE
WHERE provider_claims.token = :seen AND provider_claims.ended_at > 0;

UPDATE budgets SET spent_micros = spent_micros + :reserved
WHERE changes() = 1 AND day = :day AND scope IN (SELECT value FROM json_each(:scopes));

SELECT EXISTS (SELECT 1 FROM provider_claims c
               WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at = 0) AS granted,
       (SELECT json_group_object(scope, spent_micros) FROM budgets
        WHERE day = :day AND scope IN (SELECT value FROM json_each(:scopes))) AS spent;

-- name: claim-many
-- As the general text in three statements of one transaction.
INSERT INTO provider_claims (provider, domain, token, day, scopes, reserved_micros, lease_until, ended_at, kind, cause, retry_us)
SELECT a.value->>'provider', a.value->>'domain', a.value->>'token', a.value->>'day', a.value->>'scopes', a.value->>'reserved',
       a.value->>'lease_until', 0, '', '', 0
FROM json_each(:rows) AS a
WHERE NOT EXISTS (SELECT 1 FROM json_each(:wants) AS w
                  LEFT JOIN budgets b ON b.scope = w.value->>'scope' AND b.day = w.value->>'day'
                  WHERE b.scope IS NULL OR b.spent_micros + (w.value->>'micros') > (w.value->>'limit_micros'))
ON CONFLICT (provider, domain) DO UPDATE
SET token = excluded.token, day = excluded.day, scopes = excluded.scopes, reserved_micros = excluded.reserved_micros,
    lease_until = excluded.lease_until, ended_at = 0, kind = '', cause = '', retry_us = 0, pending_at = 0, polled = FALSE
WHERE provider_claims.ended_at > 0
  AND provider_claims.token = (SELECT x.value->>'seen' FROM json_each(:rows) AS x WHERE x.value->>'token' = excluded.token);

UPDATE budgets
SET spent_micros = spent_micros + (
    SELECT COALESCE(SUM(c.reserved_micros), 0) FROM json_each(:rows) AS a
    JOIN provider_claims c ON c.provider = a.value->>'provider' AND c.domain = a.value->>'domain' AND c.token = a.value->>'token',
         json_each(c.scopes) AS s
    WHERE c.day = budgets.day AND s.value = budgets.scope)
WHERE (scope, day) IN (SELECT w.value->>'scope', w.value->>'day' FROM json_each(:wants) AS w);

SELECT a.value->>'token' AS token, c.token IS NOT NULL AS granted
FROM json_each(:rows) AS a
LEFT JOIN provider_claims c ON c.provider = a.value->>'provider' AND c.domain = a.value->>'domain' AND c.token = a.value->>'token'
WHERE NOT EXISTS (
    SELECT 1 FROM json_each(:wants) AS w
    LEFT JOIN budgets b ON b.scope = w.value->>'scope' AND b.day = w.value->>'day'
    WHERE b.scope IS NULL OR b.spent_micros + (w.value->>'micros') - (
        SELECT COALESCE(SUM(k.reserved_micros), 0) FROM json_each(:rows) AS g
        JOIN provider_claims k ON k.provider = g.value->>'provider' AND k.domain = g.value->>'domain' AND k.token = g.value->>'token',
             json_each(k.scopes) AS s
        WHERE k.day = b.day AND s.value = b.scope) > (w.value->>'limit_micros'));

-- name: settle
-- As the general text in four statements of one transaction, the claims last.
INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
SELECT k.value->>'id', k.value->>'provider', k.value->>'domain', k.value->>'outcome', k.value->>'cost_micros',
       k.value->>'took_us', k.value->>'called_at'
FROM json_each(:rows) AS k
LEFT JOIN provider_claims c ON c.provider = k.value->>'provider' AND c.domain = k.value->>'domain'
     AND c.token = k.value->>'token' AND c.ended_at = 0
WHERE k.value->>'called' AND (NOT k.value->>'awaited' OR c.token IS NOT NULL);

UPDATE budgets
SET spent_micros = spent_micros + (
    SELECT COALESCE(SUM(IIF(k.value->>'called' AND (NOT k.value->>'awaited' OR c.token IS NOT NULL), k.value->>'cost_micros', 0)
                        - COALESCE(c.reserved_micros, 0)), 0)
    FROM json_each(:rows) AS k, json_each(k.value->>'scopes') AS s
    LEFT JOIN provider_claims c ON c.provider = k.value->>'provider' AND c.domain = k.value->>'domain'
         AND c.token = k.value->>'token' AND c.ended_at = 0
    WHERE k.value->>'day' = budgets.day AND s.value = budgets.scope)
WHERE (scope, day) IN (SELECT s.value, k.value->>'day' FROM json_each(:rows) AS k, json_each(k.value->>'scopes') AS s);

INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, early_until, fresh_until, expires_at, misses)
SELECT k.value->>'provider', k.value->>'domain', k.value->>'kind', k.value->>'observations', k.value->>'answer_micros',
       k.value->>'fetched_at', k.value->>'early_until', k.value->>'fresh_until', k.value->>'expires_at', k.value->>'misses'
FROM json_each(:rows) AS k
LEFT JOIN provider_claims c ON c.provider = k.value->>'provider' AND c.domain = k.value->>'domain'
     AND c.token = k.value->>'token' AND c.ended_at = 0
WHERE k.value->>'holds' AND (NOT k.value->>'awaited' OR c.token IS NOT NULL)
ON CONFLICT (provider, domain) DO UPDATE
SET kind = excluded.kind, observations = excluded.observations, cost_micros = excluded.cost_micros,
    fetched_at = excluded.fetched_at, early_until = excluded.early_until, fresh_until = excluded.fresh_until,
    expires_at = excluded.expires_at, misses = excluded.misses
WHERE answers.fetched_at <= excluded.fetched_at;

UPDATE provider_claims
SET ended_at = :now, kind = k.failure, cause = k.cause, retry_us = k.retry_us
FROM (SELECT r.value->>'provider' AS provider, r.value->>'domain' AS domain, r.value->>'token' AS token,
             r.value->>'failure' AS failure, r.value->>'cause' AS cause, r.value->>'retry_us' AS retry_us
      FROM json_each(:rows) AS r) AS k
WHERE provider_claims.provider = k.provider AND provider_claims.domain = k.domain AND provider_claims.token = k.token
  AND provider_claims.ended_at = 0
RETURNING provider_claims.provider;

-- name: free-claims
-- As the general text in three statements of one transaction.
INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
SELECT token, provider, domain, 'unavailable', 0, :now - pending_at, pending_at
FROM provider_claims
WHERE ended_at = 0 AND lease_until <= :now AND pending_at > 0 AND NOT polled
ON CONFLICT (id) DO NOTHING;

UPDATE budgets
SET spent_micros = spent_micros - (
    SELECT COALESCE(SUM(c.reserved_micros), 0) FROM provider_claims c, json_each(c.scopes) AS s
    WHERE c.ended_at = 0 AND c.lease_until <= :now AND c.day = budgets.day AND s.value = budgets.scope)
WHERE day IN (SELECT c.day FROM provider_claims c WHERE c.ended_at = 0 AND c.lease_until <= :now);

UPDATE provider_claims
SET ended_at = :now, retry_us = 0, kind = CASE WHEN polled THEN 'pending' ELSE 'unavailable' END,
    cause = CASE WHEN polled THEN '' WHEN pending_at > 0 THEN 'timeout' ELSE 'abandoned' END
WHERE ended_at = 0 AND lease_until <= :now
RETURNING token;
