-- name: provider-calls
-- The calls of each provider from :from until before :until, by outcome and by the milliseconds that they took at most.
SELECT provider, outcome, (took_us + 999) / 1000 AS took_ms, count(*) AS calls, CAST(sum(cost_micros) AS bigint) AS cost_micros
FROM provider_calls WHERE called_at >= :from AND called_at < :until
GROUP BY provider, outcome, (took_us + 999) / 1000;

-- name: provider-answers
-- The logged answers of each provider by the fields that they had and those on which a decision rests: there are few such sets.
SELECT provider, fields, used, count(*) AS answers, CAST(sum(cost_micros) AS bigint) AS cost_micros
FROM answer_log WHERE fetched_at >= :from AND fetched_at < :until
GROUP BY provider, fields, used;

-- name: provider-uses
-- The values of each provider on which a decision rests, and what the requests cost that brought one of them. Values that
-- are rows of their own are a registry's, or older than the log.
SELECT source, CAST(sum(used) AS bigint) AS useful, CAST(sum(cost_micros) AS bigint) AS used_micros
FROM (SELECT source, request_id, sum(CASE WHEN used THEN 1 ELSE 0 END) AS used, max(cost_micros) AS cost_micros
      FROM observations o WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
        AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)
      GROUP BY source, request_id) AS requests
WHERE used > 0 GROUP BY source;

-- name: provider-coverage
-- How many answers of each provider had a field, of the same values.
SELECT source, field, count(*) AS answers
FROM observations o WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
  AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)
GROUP BY source, field;

-- name: provider-days
-- The days that were counted, from :from on. A day is the microsecond it begins at, in UTC.
SELECT day, figures, counted_at FROM provider_days WHERE day >= :from ORDER BY day;

-- name: keep-provider-day
-- The newest count of a day stands.
INSERT INTO provider_days (day, figures, counted_at) VALUES (:day, :figures, :now)
ON CONFLICT (day) DO UPDATE SET figures = excluded.figures, counted_at = excluded.counted_at
WHERE provider_days.counted_at <= excluded.counted_at;

-- name: forget-provider-days
-- No scorecard reaches so far back.
DELETE FROM provider_days WHERE day < :stale;
