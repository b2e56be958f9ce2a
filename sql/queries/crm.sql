-- name: hold-crm-record
-- Gives the record to one run until :until, and says what is known of it. None:
-- another run has it.
INSERT INTO crm_records (crm, object, key, record_id, url, wants, synced_at, token, held_until)
VALUES (:crm, :object, :key, '', '', '', 0, :token, :until)
ON CONFLICT (crm, object, key) DO UPDATE SET token = excluded.token, held_until = excluded.held_until
WHERE crm_records.held_until <= :now
RETURNING record_id, url, wants, synced_at;

-- name: settle-crm-record
-- Ends the claim of the run that still has it, or lets it rest until :until.
UPDATE crm_records SET record_id = :record_id, url = :url, wants = :wants, synced_at = :synced_at, token = '', held_until = :until
WHERE crm = :crm AND object = :object AND key = :key AND token = :token;

-- name: crm-sent
-- The writes to a record whose end is not known, oldest first.
SELECT id, run, crm, object, key, record_id, url, field, before_raw, before_norm, after_raw, after_norm, created, source,
    confidence, observed_at, lead_id, actor, state, written_at
FROM crm_writes WHERE crm = :crm AND object = :object AND key = :key AND state = 'sent' ORDER BY id;

-- name: crm-fields
-- What we wrote last into the fields of a record, and whether that was taken back: the runs that do begin with
-- revert/RUN/, and 0 is the character behind the slash.
SELECT f.field, f.norm, f.raw_hash, f.confidence, f.observed_at, f.written_at, f.released,
    EXISTS (SELECT 1 FROM crm_writes w WHERE w.run > 'revert/' || f.run || '/' AND w.run < 'revert/' || f.run || '0'
        AND w.crm = f.crm AND w.object = f.object AND w.record_id = f.record_id AND w.field = f.field AND w.state = 'done')
        AS reverted
FROM crm_fields f WHERE f.crm = :crm AND f.object = :object AND f.record_id = :record_id;

-- name: insert-crm-write
-- One field that is about to be sent.
INSERT INTO crm_writes (id, run, crm, object, key, record_id, url, field, before_raw, before_norm, after_raw, after_norm,
    created, source, confidence, observed_at, lead_id, actor, state, written_at)
VALUES (:id, :run, :crm, :object, :key, :record_id, :url, :field, :before_raw, :before_norm, :after_raw, :after_norm,
    :created, :source, :confidence, :observed_at, :lead_id, :actor, 'sent', :now);

-- name: end-crm-write
-- How a write that was sent ended. Nothing when that was written already.
UPDATE crm_writes SET state = :state, record_id = :record_id, url = :url WHERE id = :id AND state = 'sent';

-- name: put-crm-field
-- What stands in a field from us, from now on.
INSERT INTO crm_fields (crm, object, record_id, field, norm, raw_hash, source, confidence, observed_at, written_at,
    lead_id, run, released)
VALUES (:crm, :object, :record_id, :field, :after_norm, :raw_hash, :source, :confidence, :observed_at, :now,
    :lead_id, :run, FALSE)
ON CONFLICT (crm, object, record_id, field) DO UPDATE
SET norm = excluded.norm, raw_hash = excluded.raw_hash, source = excluded.source, confidence = excluded.confidence,
    observed_at = excluded.observed_at, written_at = excluded.written_at, lead_id = excluded.lead_id, run = excluded.run,
    released = FALSE;

-- name: release-crm-field
-- A person took the field over: it is not ours any more, whatever it holds.
UPDATE crm_fields SET released = TRUE
WHERE crm = :crm AND object = :object AND record_id = :record_id AND field = :field;

-- name: put-crm-conflict
-- Opens the conflict or brings it up to date. A person's word holds: for good
-- when it was ignore, else while theirs stays what they saw.
INSERT INTO crm_conflicts (id, crm, object, record_id, url, field, theirs_raw, theirs_norm, ours_raw, ours_norm, source,
    confidence, observed_at, evidence, lead_id, status, resolution, resolved_by, first_seen, last_seen)
VALUES (:id, :crm, :object, :record_id, :url, :field, :theirs_raw, :theirs_norm, :ours_raw, :ours_norm, :source,
    :confidence, :observed_at, :evidence, :lead_id, 'open', '', '', :now, :now)
ON CONFLICT (crm, object, record_id, field) DO UPDATE
SET url = excluded.url, theirs_raw = excluded.theirs_raw, theirs_norm = excluded.theirs_norm, ours_raw = excluded.ours_raw,
    ours_norm = excluded.ours_norm, source = excluded.source, confidence = excluded.confidence,
    observed_at = excluded.observed_at, evidence = excluded.evidence, lead_id = excluded.lead_id,
    last_seen = excluded.last_seen,
    status = CASE WHEN crm_conflicts.resolution = 'ignore' OR crm_conflicts.resolution = 'keep-theirs'
        AND crm_conflicts.theirs_norm = excluded.theirs_norm THEN crm_conflicts.status ELSE 'open' END,
    resolution = CASE WHEN crm_conflicts.resolution = 'ignore' OR crm_conflicts.resolution = 'keep-theirs'
        AND crm_conflicts.theirs_norm = excluded.theirs_norm THEN crm_conflicts.resolution ELSE '' END,
    resolved_by = CASE WHEN crm_conflicts.resolution = 'ignore' OR crm_conflicts.resolution = 'keep-theirs'
        AND crm_conflicts.theirs_norm = excluded.theirs_norm THEN crm_conflicts.resolved_by ELSE '' END;

-- name: agree-crm-conflict
-- The two sides say the same: there is nothing left to choose.
UPDATE crm_conflicts SET status = 'resolved', resolved_by = 'agreement', last_seen = :now
WHERE crm = :crm AND object = :object AND record_id = :record_id AND field = :field AND status = 'open';

-- name: resolve-crm-conflict
-- A person's word on an open conflict. No row when it is not open any more.
UPDATE crm_conflicts SET status = 'resolved', resolution = :resolution, resolved_by = :resolved_by, last_seen = :now
WHERE id = :id AND status = 'open'
RETURNING id, crm, object, record_id, url, field, theirs_raw, theirs_norm, ours_raw, ours_norm, source, confidence,
    observed_at, evidence, lead_id, status, resolution, resolved_by, first_seen, last_seen;

-- name: crm-conflict
-- One conflict with a CRM.
SELECT id, crm, object, record_id, url, field, theirs_raw, theirs_norm, ours_raw, ours_norm, source, confidence,
    observed_at, evidence, lead_id, status, resolution, resolved_by, first_seen, last_seen
FROM crm_conflicts WHERE id = :id;

-- name: crm-conflicts
-- The conflicts with CRMs, those seen last first. An empty filter lets everything through.
SELECT id, crm, object, record_id, url, field, theirs_raw, theirs_norm, ours_raw, ours_norm, source, confidence,
    observed_at, evidence, lead_id, status, resolution, resolved_by, first_seen, last_seen
FROM crm_conflicts
WHERE (:crm = '' OR crm = :crm) AND (:status = '' OR status = :status)
ORDER BY last_seen DESC, id DESC
LIMIT :limit;

-- name: put-crm-run
-- What a run did to one record; a later try of the run says it anew.
INSERT INTO crm_runs (run, crm, object, record_id, kind, lead_id, actor, outcomes, settled_at)
VALUES (:run, :crm, :object, :record_id, :kind, :lead_id, :actor, :outcomes, :now)
ON CONFLICT (run, crm, object, record_id) DO UPDATE
SET outcomes = excluded.outcomes, settled_at = excluded.settled_at;

-- name: crm-runs
-- The runs that wrote something, the newest first.
SELECT r.run, r.crm, r.kind, r.lead_id, r.actor, r.at, w.records, w.fields, w.created,
    (SELECT count(*) FROM crm_writes b WHERE b.run LIKE 'revert/' || r.run || '/%' AND b.state = 'done') AS reverted
FROM (SELECT run, crm, kind, lead_id, actor, max(settled_at) AS at FROM crm_runs
      GROUP BY run, crm, kind, lead_id, actor) AS r
JOIN (SELECT run, count(DISTINCT object || ' ' || record_id) AS records, count(*) AS fields,
          count(DISTINCT CASE WHEN created THEN object || ' ' || record_id END) AS created
      FROM crm_writes WHERE state = 'done' GROUP BY run) AS w ON w.run = r.run
ORDER BY r.at DESC, r.run DESC
LIMIT :limit;

-- name: crm-run
-- What a run wrote, as far as is known, the latest first.
SELECT id, run, crm, object, key, record_id, url, field, before_raw, before_norm, after_raw, after_norm, created, source,
    confidence, observed_at, lead_id, actor, state, written_at
FROM crm_writes WHERE run = :run AND state <> 'void' ORDER BY id DESC;
