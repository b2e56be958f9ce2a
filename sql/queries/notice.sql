-- name: insert-completion
-- A step that waits until :due, unless the lead has one that is not finished. One of
-- this very decision may be, be under way or handed out: a look that came before it, or
-- begins before it is committed, and finds nothing to do.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, due_at)
SELECT CAST(:kind AS text), CAST(:id AS text), CAST(:epoch AS integer), CAST(:id AS text), 1, CAST(:queue AS text),
       'waiting', CAST(:due AS bigint)
WHERE NOT EXISTS (SELECT 1 FROM steps WHERE kind = :kind AND id = :id AND state <> 'done'
    AND NOT (epoch = :epoch AND state IN ('queued', 'running')))
ON CONFLICT (kind, id, epoch) DO UPDATE
SET run = steps.run + 1, state = 'waiting', due_at = excluded.due_at, lease_until = 0, attempts = 0, error_kind = '', note = ''
WHERE steps.state IN ('done', 'queued', 'running');

-- name: look-again
-- Completions for leads of the company: due now for the newest that a rep has or
-- that have stayed since :since where their first decision sent them, and due :soon
-- for those on which a worker is at this moment, who may have read what was known
-- before. A completion that is under way begins anew, for the same reason; one that is
-- handed out and not begun will read it.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, due_at)
SELECT CAST(:kind AS text), x.id, x.epoch, x.id, 1, CAST(:queue AS text), 'waiting', x.due
FROM (
    SELECT * FROM (
        SELECT l.id AS id, l.epoch AS epoch, CAST(:now AS bigint) AS due
        FROM leads l JOIN assignments a ON a.lead_id = l.id AND a.epoch = l.epoch
        WHERE l.status = 'decided'
          AND l.domain IN (SELECT CAST(:company AS text) UNION SELECT domain FROM company_domains WHERE company_domain = :company)
          AND (a.status = 'open' OR (l.decided_at > :since
               AND NOT EXISTS (SELECT 1 FROM assignments b WHERE b.lead_id = l.id AND b.epoch < l.epoch)))
        ORDER BY l.id DESC LIMIT :limit) AS decided
    UNION ALL
    SELECT l.id, l.epoch, CAST(:soon AS bigint)
    FROM leads l JOIN steps s ON s.kind = :lead AND s.id = l.id AND s.epoch = l.epoch AND s.state = 'running'
    WHERE l.status = 'accepted'
      AND l.domain IN (SELECT CAST(:company AS text) UNION SELECT domain FROM company_domains WHERE company_domain = :company)
) AS x
WHERE TRUE
ON CONFLICT (kind, id, epoch) DO UPDATE
SET run = steps.run + 1, state = 'waiting', due_at = excluded.due_at, lease_until = 0, attempts = 0, error_kind = '', note = ''
WHERE steps.state <> 'queued';

-- name: insert-notice
-- One of a kind for a decision: the newest.
INSERT INTO notices (lead_id, epoch, kind, at, body) VALUES (:lead_id, :epoch, :kind, :at, :body)
ON CONFLICT (lead_id, epoch, kind) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: notices
-- The remarks on a lead, oldest first.
SELECT body FROM notices WHERE lead_id = :lead_id ORDER BY at, epoch, kind;
