-- name: provider-uses
-- As the general text, with SQLite's functions for JSON.
SELECT source, CAST(sum(used) AS bigint) AS useful, CAST(sum(cost_micros) AS bigint) AS used_micros
FROM (SELECT provider AS source, (SELECT count(*) FROM json_each(used)) AS used, cost_micros
      FROM answer_log WHERE fetched_at >= :from AND fetched_at < :until
      UNION ALL
      SELECT source, sum(CASE WHEN used THEN 1 ELSE 0 END) AS used, max(cost_micros) AS cost_micros
      FROM observations o WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
        AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)
      GROUP BY source, request_id) AS answers
WHERE used > 0 GROUP BY source;

-- name: provider-coverage
-- As the general text, with SQLite's functions for JSON.
SELECT source, field, count(*) AS answers
FROM (SELECT provider AS source, f.value AS field FROM answer_log, json_each(fields) AS f
      WHERE fetched_at >= :from AND fetched_at < :until
      UNION ALL
      SELECT source, field FROM observations o
      WHERE fetched_at >= :from AND fetched_at < :until AND request_id <> ''
        AND NOT EXISTS (SELECT 1 FROM answer_log l WHERE l.request_id = o.request_id)) AS answers
GROUP BY source, field;
