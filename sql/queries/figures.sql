-- name: provider-figures
-- The scorecard of every provider that was called since :since. p95 is the
-- nearest rank. A request is used when some decision rests on a value of its.
WITH calls AS (
    SELECT provider, outcome, cost_micros, took_us,
           row_number() OVER (PARTITION BY provider ORDER BY took_us) AS place,
           count(*) OVER (PARTITION BY provider) AS n
    FROM provider_calls WHERE called_at > :since),
ledger AS (
    SELECT provider, count(*) AS calls,
           sum(CASE WHEN outcome = 'hit' THEN 1 ELSE 0 END) AS hits,
           sum(CASE WHEN outcome = 'not_found' THEN 1 ELSE 0 END) AS misses,
           CAST(sum(cost_micros) AS bigint) AS cost_micros,
           CAST(sum(CASE WHEN outcome = 'not_found' THEN cost_micros ELSE 0 END) AS bigint) AS miss_micros,
           max(CASE WHEN place = (95 * n + 99) / 100 THEN took_us END) AS p95_us
    FROM calls GROUP BY provider),
requests AS (
    SELECT source, request_id, sum(CASE WHEN used THEN 1 ELSE 0 END) AS used, max(cost_micros) AS cost_micros
    FROM observations WHERE fetched_at > :since AND request_id <> '' GROUP BY source, request_id),
useful AS (
    SELECT source, CAST(sum(used) AS bigint) AS fields,
           CAST(sum(CASE WHEN used > 0 THEN cost_micros ELSE 0 END) AS bigint) AS cost_micros
    FROM requests GROUP BY source)
SELECT l.provider AS provider, l.calls AS calls, l.hits AS hits, l.misses AS misses, l.cost_micros AS cost_micros,
       l.miss_micros AS miss_micros, l.p95_us AS p95_us, COALESCE(u.fields, 0) AS useful,
       COALESCE(u.cost_micros, 0) AS used_micros
FROM ledger l LEFT JOIN useful u ON u.source = l.provider
ORDER BY l.provider;

-- name: provider-coverage
-- How many answers of each provider had a field, since :since.
SELECT source, field, count(*) AS answers
FROM observations WHERE fetched_at > :since AND request_id <> ''
GROUP BY source, field
ORDER BY source, answers DESC, field;
