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
-- granted and what was spent of each budget, {scope: micros}. To repeat it is harmless. A claim is found by its key: said as
-- in the index of the open ones (ended_at = 0), a plan made while there were few would read that from end to end.
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
           WHERE c.provider = :provider AND c.domain = :domain AND c.token = :token AND c.ended_at < 1) AS granted,
       COALESCE((SELECT CAST(jsonb_object_agg(scope, spent_micros) AS text) FROM purse), '{}') AS spent;

-- name: claim-many
-- As claim, for several who ask at the same time: takes the claims {provider, domain, token, seen, day, scopes, reserved,
-- lease_until} and reserves the price of all of them in the budgets :wants {scope, day, limit_micros, micros}, where micros
-- is what they come to together. When one of those has no room for all nobody is granted anything and no row is returned:
-- each may ask by itself. Returns the tokens and who was granted; to the others somebody was faster. To repeat it is harmless.
WITH ask AS MATERIALIZED (
    SELECT r.provider, r.domain, r.token, r.seen, r.day, r.scopes, r.reserved, r.lease_until
    FROM unnest(CAST(:provider AS text[]), CAST(:domain AS text[]), CAST(:token AS text[]), CAST(:seen AS text[]),
                CAST(:day AS text[]), CAST(:scopes AS text[]), CAST(:reserved AS bigint[]), CAST(:lease_until AS bigint[]))
        AS r(provider, domain, token, seen, day, scopes, reserved, lease_until)
), want AS MATERIALIZED (
    SELECT r.scope, r.day, r.limit_micros, r.micros
    FROM jsonb_to_recordset(CAST(:wants AS jsonb)) AS r(scope text, day text, limit_micros bigint, micros bigint)
), purse AS MATERIALIZED (
    SELECT b.scope, b.day, b.spent_micros + w.micros <= w.limit_micros AS fits
    FROM budgets b JOIN want w ON w.scope = b.scope AND w.day = b.day
    ORDER BY b.scope, b.day
    FOR UPDATE OF b
), enough AS MATERIALIZED (
    SELECT COUNT(*) = (SELECT COUNT(*) FROM want) AND COALESCE(BOOL_AND(fits), TRUE) AS ok FROM purse
), claimed AS (
    INSERT INTO provider_claims (provider, domain, token, day, scopes, reserved_micros, lease_until, ended_at, kind, cause, retry_us)
    SELECT a.provider, a.domain, a.token, a.day, a.scopes, a.reserved, a.lease_until, 0, '', '', 0
    FROM ask a, enough WHERE enough.ok
    ORDER BY a.provider, a.domain
    ON CONFLICT (provider, domain) DO UPDATE
    SET token = excluded.token, day = excluded.day, scopes = excluded.scopes, reserved_micros = excluded.reserved_micros,
        lease_until = excluded.lease_until, ended_at = 0, kind = '', cause = '', retry_us = 0, pending_at = 0, polled = FALSE
    WHERE provider_claims.ended_at > 0
      AND provider_claims.token = (SELECT a.seen FROM ask a WHERE a.provider = excluded.provider AND a.domain = excluded.domain)
    RETURNING provider, domain, token, day, scopes, reserved_micros
), raised AS (
    UPDATE budgets b SET spent_micros = b.spent_micros + r.micros
    FROM (SELECT s.scope, c.day, SUM(c.reserved_micros) AS micros
          FROM claimed c, jsonb_array_elements_text(CAST(c.scopes AS jsonb)) AS s(scope)
          GROUP BY s.scope, c.day) r
    WHERE b.scope = r.scope AND b.day = r.day
)
SELECT a.token, EXISTS (SELECT 1 FROM claimed c WHERE c.provider = a.provider AND c.domain = a.domain) OR EXISTS (
           SELECT 1 FROM provider_claims c
           WHERE c.provider = a.provider AND c.domain = a.domain AND c.token = a.token AND c.ended_at < 1) AS granted
FROM enough, ask a
WHERE enough.ok;

-- name: settle
-- Ends the claims of calls, no two of one provider and domain. Each that has not freed itself gives back what it reserved,
-- and what its call cost is spent. Writes the call into the ledger if one was made (called), once, and holds its answer if
-- it is one (holds) and newer. Of one that was called back (awaited) nothing counts unless the claim was still open. The
-- budgets of all are locked first, then the claims, both in their order, so that nobody waits in a circle.
WITH call AS MATERIALIZED (
    SELECT r.*
    FROM unnest(CAST(:provider AS text[]), CAST(:domain AS text[]), CAST(:token AS text[]), CAST(:day AS text[]),
                CAST(:scopes AS text[]), CAST(:failure AS text[]), CAST(:cause AS text[]), CAST(:retry_us AS bigint[]),
                CAST(:awaited AS boolean[]), CAST(:called AS boolean[]), CAST(:id AS text[]), CAST(:outcome AS text[]),
                CAST(:cost_micros AS bigint[]), CAST(:took_us AS bigint[]), CAST(:called_at AS bigint[]),
                CAST(:holds AS boolean[]), CAST(:kind AS text[]), CAST(:observations AS text[]),
                CAST(:answer_micros AS bigint[]), CAST(:fetched_at AS bigint[]), CAST(:early_until AS bigint[]),
                CAST(:fresh_until AS bigint[]), CAST(:expires_at AS bigint[]), CAST(:misses AS bigint[]))
        AS r(provider, domain, token, day, scopes, failure, cause, retry_us, awaited, called, id, outcome, cost_micros, took_us,
             called_at, holds, kind, observations, answer_micros, fetched_at, early_until, fresh_until, expires_at, misses)
), share AS MATERIALIZED (
    SELECT k.provider, k.domain, k.day, s.scope
    FROM call k, jsonb_array_elements_text(CAST(k.scopes AS jsonb)) AS s(scope)
), purse AS MATERIALIZED (
    SELECT b.scope, b.day FROM budgets b
    WHERE (b.scope, b.day) IN (SELECT scope, day FROM share)
    ORDER BY b.scope, b.day
    FOR UPDATE
), open AS MATERIALIZED (
    SELECT c.provider, c.domain, c.token
    FROM provider_claims c JOIN call k ON k.provider = c.provider AND k.domain = c.domain AND k.token = c.token
    WHERE c.ended_at < 1 AND (SELECT COUNT(*) FROM purse) >= 0
    ORDER BY c.provider, c.domain
    FOR UPDATE OF c
), ended AS (
    UPDATE provider_claims c
    SET ended_at = :now, kind = k.failure, cause = k.cause, retry_us = k.retry_us
    FROM open o JOIN call k ON k.provider = o.provider AND k.domain = o.domain
    WHERE c.provider = o.provider AND c.domain = o.domain AND c.token = o.token AND c.ended_at < 1
    RETURNING c.provider, c.domain, c.reserved_micros
), counted AS MATERIALIZED (
    SELECT k.*, COALESCE(e.reserved_micros, 0) AS reserved_micros, NOT k.awaited OR e.provider IS NOT NULL AS counts
    FROM call k LEFT JOIN ended e ON e.provider = k.provider AND e.domain = k.domain
), booked AS (
    INSERT INTO provider_calls (id, provider, domain, outcome, cost_micros, took_us, called_at)
    SELECT id, provider, domain, outcome, cost_micros, took_us, called_at FROM counted WHERE called AND counts
    ON CONFLICT (id) DO NOTHING
    RETURNING id
), settled AS (
    UPDATE budgets b SET spent_micros = b.spent_micros + r.micros
    FROM (SELECT s.scope, s.day,
                 SUM(CASE WHEN EXISTS (SELECT 1 FROM booked WHERE booked.id = n.id) THEN n.cost_micros ELSE 0 END - n.reserved_micros) AS micros
          FROM share s JOIN counted n ON n.provider = s.provider AND n.domain = s.domain
          GROUP BY s.scope, s.day) r
    WHERE b.scope = r.scope AND b.day = r.day
)
INSERT INTO answers (provider, domain, kind, observations, cost_micros, fetched_at, early_until, fresh_until, expires_at, misses)
SELECT provider, domain, kind, observations, answer_micros, fetched_at, early_until, fresh_until, expires_at, CAST(misses AS integer)
FROM counted WHERE holds AND counts
ORDER BY provider, domain
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
    WHERE c.provider = d.provider AND c.domain = d.domain AND c.token = d.token AND c.ended_at < 1
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
