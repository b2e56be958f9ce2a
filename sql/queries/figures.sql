-- name: provider-calls
-- The calls of each provider from :from until before :until, by outcome and by the milliseconds that they took at most.
SELECT provider, outcome, (took_us + 999) / 1000 AS took_ms, count(*) AS calls, CAST(sum(cost_micros) AS bigint) AS cost_micros
FROM provider_calls WHERE called_at >= :from AND called_at < :until
GROUP BY provider, outcome, (took_us + 999) / 1000;

-- name: provider-uses
-- The values of each provider on which a decision rests, and what the answers cost that brought one of them. Values that
-- are rows of their own are a registry's, or older than the log.
SELECT source, CAST(sum(used) AS bigint) AS useful, CAST(sum(cost_micros) AS bigint) AS used_micros
FROM (SELECT provider AS source, (SELECT count(*) FROM jsonb_object_keys(CAST(used AS jsonb))) AS used, cost_micros
      FROM answer_log WHERE fetched_at >= :from AND fetched_at < :until
      UNION ALL
      SELECT source, sum(CASE WHEN used THEN 1 ELSE 0 END) AS used, max(cost_micros) AS cost_micros
      FROM observations o WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
        AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)
      GROUP BY source, request_id) AS answers
WHERE used > 0 GROUP BY source;

-- name: provider-coverage
-- How many answers of each provider had a field.
SELECT source, field, count(*) AS answers
FROM (SELECT provider AS source, f.value AS field
      FROM answer_log, jsonb_array_elements_text(CAST(fields AS jsonb)) AS f(value)
      WHERE fetched_at >= :from AND fetched_at < :until
      UNION ALL
      SELECT source, field FROM observations o
      WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
        AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)) AS answers
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
