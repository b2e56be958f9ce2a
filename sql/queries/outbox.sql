-- name: insert-outbox
-- Puts runs in the outbox, in the given order.
INSERT INTO outbox (kind, step_id, epoch, run, queue, created_at)
SELECT r.kind, r.id, r.epoch, r.run, r.queue, :now
FROM unnest(CAST(:kind AS text[]), CAST(:id AS text[]), CAST(:epoch AS integer[]), CAST(:run AS integer[]),
        CAST(:queue AS text[]))
    AS r(kind, id, epoch, run, queue);

-- name: claim-outbox
-- Marks the oldest unclaimed rows until :until and returns them. Several relays
-- may claim at once: none gets another's rows, and the rows of one that died
-- come back when the mark runs out.
WITH next AS MATERIALIZED (
    SELECT id FROM outbox WHERE claimed_until <= :now ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
UPDATE outbox SET claimed_until = :until
FROM next WHERE outbox.id = next.id
RETURNING outbox.id AS outbox, kind, step_id AS id, epoch, run, queue;

-- name: drop-outbox
-- Deletes the rows (JSON list of ids) that are on the queue now.
DELETE FROM outbox
WHERE id IN (SELECT CAST(value AS bigint) FROM jsonb_array_elements_text(CAST(:ids AS jsonb)));
