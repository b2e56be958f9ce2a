-- name: dns-check
-- What the DNS last said of a mail host.
SELECT result, checked_at FROM dns_checks WHERE domain = :domain;

-- name: save-dns-check
-- Keeps the newest word.
INSERT INTO dns_checks (domain, result, checked_at) VALUES (:domain, :result, :checked_at)
ON CONFLICT (domain) DO UPDATE SET result = excluded.result, checked_at = excluded.checked_at
WHERE dns_checks.checked_at <= excluded.checked_at;

-- name: forget-dns-checks
-- Drops the answers that nobody reads any more.
DELETE FROM dns_checks WHERE checked_at <= :stale;

-- name: hold-lead
-- One row: the lead in flight is held for a person. None: it is not in flight.
UPDATE leads SET status = 'quarantined', verdict = :verdict, codes = :codes, spendable = :spendable
WHERE id = :id AND status = 'accepted';

-- name: release-lead
-- One row: the held lead is in flight. None: it is not held, or was held anew
-- since :before was read.
UPDATE leads SET status = 'accepted', verdict = :verdict, codes = :codes, domain = :domain, spendable = :spendable
WHERE id = :id AND status = 'quarantined' AND codes = :before;

-- name: hand-out-step
-- Makes the step ready to be handed out and returns its run: the first, or the
-- next one of a step that had ended.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, queued_at)
VALUES (:kind, :id, :epoch, :lead_id, 1, :queue, 'queued', :now)
ON CONFLICT (kind, id, epoch) DO UPDATE
SET run = steps.run + 1, state = 'queued', queued_at = excluded.queued_at, due_at = 0, lease_until = 0,
    attempts = 0, error_kind = '', note = '', kills = 0, failed_at = 0
RETURNING run;
