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

-- name: settle
-- As the general text in four statements of one transaction.
INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
SELECT :id, :provider, :domain, :outcome, :cost_micros, :took_us, :called_at
WHERE :called AND (NOT :awaited OR EXISTS (
    SELECT 1 FROM provider_claims c
    WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at = 0));

UPDATE budgets
SET spent_micros = spent_micros + IIF(:called, :cost_micros, 0) - COALESCE((
    SELECT c.reserved_micros FROM provider_claims c
    WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at = 0), 0)
WHERE day = :day AND scope IN (SELECT value FROM json_each(:scopes)) AND (NOT :awaited OR EXISTS (
    SELECT 1 FROM provider_claims c
    WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at = 0));

UPDATE provider_claims
SET ended_at = :now, kind = :failure, cause = :cause, retry_us = :retry_us
WHERE provider = :provider AND domain = :domain AND token = :token AND ended_at = 0;

INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, early_until, fresh_until, expires_at, misses)
SELECT :provider, :domain, :kind, :observations, :answer_micros, :fetched_at, :early_until, :fresh_until, :expires_at, :misses
WHERE :holds AND (NOT :awaited OR changes() = 1)
ON CONFLICT (provider, domain) DO UPDATE
SET kind = excluded.kind, observations = excluded.observations, cost_micros = excluded.cost_micros,
    fetched_at = excluded.fetched_at, early_until = excluded.early_until, fresh_until = excluded.fresh_until,
    expires_at = excluded.expires_at, misses = excluded.misses
WHERE answers.fetched_at <= excluded.fetched_at
RETURNING provider;

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
