-- name: open-budgets
-- Begins the day of the budgets {scope} that have not begun it.
INSERT INTO budgets (scope, day, spent_micros)
SELECT r.scope, :day, 0
FROM jsonb_to_recordset(CAST(:budgets AS jsonb)) AS r(scope text)
ORDER BY r.scope
ON CONFLICT (scope, day) DO NOTHING;

-- name: claim
-- Takes the claim and reserves its price in all of the budgets {scope, limit_micros}, or does neither: one of them has
-- not begun its day or has too little left, or the last claim is not the ended one of token :seen. The budgets are locked
-- first and in one order, here and wherever they change, so that nobody waits in a circle. Returns whether it was
-- granted and what was spent of each budget, {scope: micros}. To repeat it is harmless.
WITH want AS MATERIALIZED (
    SELECT r.scope, r.limit_micros
    FROM jsonb_to_recordset(CAST(:budgets AS jsonb)) AS r(scope text, limit_micros bigint)
), purse AS MATERIALIZED (
    SELECT b.scope, b.spent_micros, w.limit_micros
    FROM budgets b JOIN want w ON w.scope = b.scope
    WHERE b.day = :day
    ORDER BY b.scope
    FOR UPDATE OF b
), enough AS MATERIALIZED (
    SELECT COUNT(*) = (SELECT COUNT(*) FROM want)
       AND COALESCE(BOOL_AND(spent_micros + CAST(:reserved AS bigint) <= limit_micros), TRUE) AS ok
    FROM purse
), claimed AS (
    INSERT INTO provider_claims (provider, domain, token, day, scopes, reserved_micros, lease_until, ended_at, kind, cause, retry_us)
    SELECT :provider, :domain, :token, :day, :scopes, CAST(:reserved AS bigint), CAST(:lease_until AS bigint), 0, '', '', 0
    FROM enough WHERE enough.ok
    ON CONFLICT (provider, domain) DO UPDATE
    SET token = excluded.token, day = excluded.day, scopes = excluded.scopes, reserved_micros = excluded.reserved_micros,
        lease_until = excluded.lease_until, ended_at = 0, kind = '', cause = '', retry_us = 0, pending_at = 0, polled = FALSE
    WHERE provider_claims.token = :seen AND provider_claims.ended_at > 0
    RETURNING 1
), raised AS (
    UPDATE budgets b SET spent_micros = b.spent_micros + CAST(:reserved AS bigint)
    FROM purse p, claimed
    WHERE b.scope = p.scope AND b.day = :day
)
SELECT EXISTS (SELECT 1 FROM claimed) OR EXISTS (
           SELECT 1 FROM provider_claims c
           WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at = 0) AS granted,
       COALESCE((SELECT CAST(jsonb_object_agg(scope, spent_micros) AS text) FROM purse), '{}') AS spent;

-- name: settle
-- Ends the claim :token, if it has not freed itself: what it reserved goes back, what the call cost is spent. Writes the
-- call into the ledger if one was made (:called), once, and holds its answer if it is one (:holds) and newer. Of one that
-- was called back (:awaited) nothing counts unless the claim was still open.
WITH purse AS MATERIALIZED (
    SELECT b.scope FROM budgets b
    WHERE b.day = :day AND b.scope IN (SELECT jsonb_array_elements_text(CAST(:scopes AS jsonb)))
    ORDER BY b.scope
    FOR UPDATE
), ended AS (
    UPDATE provider_claims
    SET ended_at = :now, kind = :failure, cause = :cause, retry_us = :retry_us
    WHERE provider = :provider AND domain = :domain AND token = :token AND ended_at = 0
      AND (SELECT COUNT(*) FROM purse) >= 0
    RETURNING reserved_micros
), booked AS (
    INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
    SELECT :id, :provider, :domain, :outcome, CAST(:cost_micros AS bigint), CAST(:took_us AS bigint), CAST(:called_at AS bigint)
    WHERE CAST(:called AS boolean) AND (NOT CAST(:awaited AS boolean) OR EXISTS (SELECT 1 FROM ended))
    ON CONFLICT (id) DO NOTHING
    RETURNING cost_micros
), settled AS (
    UPDATE budgets b
    SET spent_micros = b.spent_micros + COALESCE((SELECT cost_micros FROM booked), 0)
                     - COALESCE((SELECT reserved_micros FROM ended), 0)
    FROM purse p
    WHERE b.scope = p.scope AND b.day = :day
)
INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, early_until, fresh_until, expires_at, misses)
SELECT :provider, :domain, :kind, :observations, CAST(:answer_micros AS bigint), CAST(:fetched_at AS bigint),
       CAST(:early_until AS bigint), CAST(:fresh_until AS bigint), CAST(:expires_at AS bigint), CAST(:misses AS integer)
WHERE CAST(:holds AS boolean) AND (NOT CAST(:awaited AS boolean) OR EXISTS (SELECT 1 FROM ended))
ON CONFLICT (provider, domain) DO UPDATE
SET kind = excluded.kind, observations = excluded.observations, cost_micros = excluded.cost_micros,
    fetched_at = excluded.fetched_at, early_until = excluded.early_until, fresh_until = excluded.fresh_until,
    expires_at = excluded.expires_at, misses = excluded.misses
WHERE answers.fetched_at <= excluded.fetched_at
RETURNING provider;

-- name: await-claim
-- The provider said "later": the claim :token is pending, until :until if it has not ended meanwhile.
UPDATE provider_claims
SET pending_at = :pending_at, polled = CAST(:polled AS boolean),
    lease_until = CASE WHEN ended_at = 0 THEN CAST(:until AS bigint) ELSE lease_until END
WHERE provider = :provider AND domain = :domain AND token = :token;

-- name: claim-of-token
-- One row: the claim that a provider calls back with, if it is still the last of its company.
SELECT domain, day, scopes, lease_until, ended_at, pending_at, polled
FROM provider_claims WHERE token = :token AND provider = :provider;

-- name: free-claims
-- Ends the claims whose time is over and gives back what they reserved: whoever had them is dead, or the provider that
-- said "later" is to be asked again (polled), or has not called, which is a call in the ledger. Returns their tokens.
WITH dead AS MATERIALIZED (
    SELECT c.provider, c.domain, c.token, c.day, c.scopes
    FROM provider_claims c
    WHERE c.ended_at = 0 AND c.lease_until <= :now
    ORDER BY c.lease_until
    LIMIT 100
), purse AS MATERIALIZED (
    SELECT b.scope FROM budgets b
    WHERE (b.scope, b.day) IN (SELECT s.scope, d.day FROM dead d, jsonb_array_elements_text(CAST(d.scopes AS jsonb)) AS s(scope))
    ORDER BY b.scope, b.day
    FOR UPDATE
), ended AS (
    UPDATE provider_claims c
    SET ended_at = :now, retry_us = 0, kind = CASE WHEN polled THEN 'pending' ELSE 'unavailable' END,
        cause = CASE WHEN polled THEN '' WHEN pending_at > 0 THEN 'timeout' ELSE 'abandoned' END
    FROM dead d
    WHERE c.provider = d.provider AND c.domain = d.domain AND c.token = d.token AND c.ended_at = 0
      AND (SELECT COUNT(*) FROM purse) >= 0
    RETURNING c.provider, c.domain, c.token, c.day, c.scopes, c.reserved_micros, c.pending_at, c.polled
), missed AS (
    INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
    SELECT token, provider, domain, 'unavailable', 0, CAST(:now AS bigint) - pending_at, pending_at
    FROM ended WHERE pending_at > 0 AND NOT polled
    ON CONFLICT (id) DO NOTHING
), returned AS (
    UPDATE budgets b SET spent_micros = b.spent_micros - back.micros
    FROM (SELECT s.scope, e.day, SUM(e.reserved_micros) AS micros
          FROM ended e, jsonb_array_elements_text(CAST(e.scopes AS jsonb)) AS s(scope)
          GROUP BY s.scope, e.day) back
    WHERE b.scope = back.scope AND b.day = back.day
)
SELECT token FROM ended;

-- name: waiting-completions
-- The second looks at leads of the company, at whatever domain of its, that wait, if the provider's claim for it has ended.
SELECT s.kind, s.id, s.epoch, s.run, s.queue, s.attempts, s.due_at
FROM leads l JOIN steps s ON s.kind = :kind AND s.id = l.id AND s.state = 'waiting'
WHERE l.domain IN (SELECT CAST(:domain AS text) UNION SELECT domain FROM company_domains WHERE company_domain = :domain)
  AND EXISTS (SELECT 1 FROM provider_claims c WHERE c.provider = :provider AND c.domain = :domain AND c.ended_at > 0);

-- name: budgets
-- What is spent on a day.
SELECT scope, spent_micros FROM budgets WHERE day = :day ORDER BY scope;

-- name: forget-claims
-- Nobody waits any more for a claim that ended so long ago.
DELETE FROM provider_claims WHERE ended_at > 0 AND ended_at < :stale;

-- name: forget-budgets
-- Days that are long over.
DELETE FROM budgets WHERE day < :stale;
