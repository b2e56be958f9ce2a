-- name: insert-decisions
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO decisions (lead_id, epoch, tier, score_tenths, lo_tenths, hi_tenths, coverage, confidence, settled,
    provisional, undecided, stop, rule, target, owner, territory, calls, cost_micros, took_us, decided_at, sheet, body)
SELECT r.value->>'lead_id', r.value->>'epoch', r.value->>'tier', r.value->>'score', r.value->>'lo', r.value->>'hi',
    r.value->>'coverage', r.value->>'confidence', r.value->>'settled', r.value->>'provisional', r.value->>'undecided',
    r.value->>'stop', r.value->>'rule', r.value->>'target', r.value->>'owner', r.value->>'territory',
    r.value->>'calls', r.value->>'cost_micros', r.value->>'took_us', r.value->>'decided_at', r.value->>'sheet',
    r.value->>'body'
FROM json_each(:rows) AS r;

-- name: insert-assignments
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO assignments (lead_id, epoch, rep, pool, rule, target, status, counts, seq, day, credits, accept_by,
    touch_by, assigned_at)
SELECT r.value->>'lead_id', r.value->>'epoch', r.value->>'rep', r.value->>'pool', r.value->>'rule',
    r.value->>'target', r.value->>'status', r.value->>'counts', r.value->>'seq', r.value->>'day', r.value->>'credits',
    r.value->>'accept_by', r.value->>'touch_by', r.value->>'assigned_at'
FROM json_each(:rows) AS r;

-- name: hold-persons
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO person_owners (email_key, rep, lead_id, source, created_at)
SELECT r.value->>'email_key', r.value->>'rep', r.value->>'lead_id', :source, :now
FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (email_key) DO UPDATE
SET rep = excluded.rep, source = excluded.source, lead_id = excluded.lead_id, created_at = excluded.created_at;

-- name: holders
-- As the general text, with SQLite's function for a JSON list.
SELECT TRUE AS person, email_key AS key, rep, lead_id, created_at FROM person_owners
WHERE email_key IN (SELECT value FROM json_each(:persons))
UNION ALL
SELECT FALSE, domain, rep, lead_id, created_at FROM company_owners WHERE domain IN (SELECT value FROM json_each(:domains));

-- name: insert-sheets
-- As the general text, with SQLite's function for a JSON list.
INSERT INTO sheets (hash, body)
SELECT r.value->>'hash', r.value->>'body' FROM json_each(:rows) AS r WHERE TRUE
ON CONFLICT (hash) DO NOTHING;
