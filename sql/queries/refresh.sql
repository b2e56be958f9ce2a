-- name: plan-refresh
-- One wish per company: the higher score and the sooner time of two.
INSERT INTO refreshes (domain, score, due_at, planned_at) VALUES (:domain, :score, :due_at, :now)
ON CONFLICT (domain) DO UPDATE
SET score = CASE WHEN excluded.score > refreshes.score THEN excluded.score ELSE refreshes.score END,
    due_at = CASE WHEN excluded.due_at < refreshes.due_at THEN excluded.due_at ELSE refreshes.due_at END;

-- name: take-refresh
-- Takes the due wish that matters most off the list. None: nothing is due, or
-- somebody else took it just now.
DELETE FROM refreshes
WHERE domain = (SELECT domain FROM refreshes WHERE due_at <= :now ORDER BY score DESC, due_at, domain LIMIT 1)
RETURNING domain;

-- name: hand-refresh
-- Hands the company's one step out, again where it ended before. None: it is under way,
-- or was put aside for a person.
INSERT INTO steps (kind, id, epoch, lead_id, run, queue, state, queued_at)
VALUES (:kind, :id, :epoch, '', 1, :queue, 'queued', :now)
ON CONFLICT (kind, id, epoch) DO UPDATE
SET run = steps.run + 1, state = 'queued', queued_at = excluded.queued_at, due_at = 0, lease_until = 0,
    attempts = 0, error_kind = '', note = ''
WHERE steps.state = 'done'
RETURNING run;

-- name: stale-companies
-- Companies with stale answers and a decision since :since: per company and
-- decision the oldest of the answers. For the highest tier the time is shorter.
-- Leads at an alias count for the company; what is held under the alias is used
-- no more, so it is left to expire.
WITH stale AS (
    SELECT domain, fetched_at, fresh_until, expires_at FROM answers a
    WHERE kind = '' AND early_until > 0 AND early_until <= :now AND expires_at > :now
      AND NOT EXISTS (SELECT 1 FROM company_domains k WHERE k.domain = a.domain AND k.company_domain <> k.domain)
      AND NOT EXISTS (SELECT 1 FROM refreshes r WHERE r.domain = a.domain)
      AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.kind = :kind AND s.id = a.domain
          AND s.state <> 'done')),
names AS (
    SELECT domain AS company, domain FROM stale
    UNION SELECT k.company_domain, k.domain FROM stale JOIN company_domains k ON k.company_domain = stale.domain)
SELECT a.domain AS domain, d.tier AS tier, d.lo_tenths AS lo, d.hi_tenths AS hi,
       min(a.fetched_at) AS fetched_at, min(a.fresh_until) AS fresh_until, min(a.expires_at) AS expires_at
FROM stale a
JOIN names n ON n.company = a.domain
JOIN leads l ON l.domain = n.domain AND l.status = 'decided' AND l.decided_at > :since
JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
WHERE d.tier = :top OR a.fresh_until <= :now
GROUP BY a.domain, d.tier, d.lo_tenths, d.hi_tenths
ORDER BY min(a.expires_at), a.domain
LIMIT :limit;

-- name: has-tier
-- Whether a lead of the company, at whatever domain of its, was put into the tier
-- since :since.
SELECT EXISTS (SELECT 1 FROM leads l JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
    WHERE l.domain IN (SELECT CAST(:domain AS text) UNION SELECT domain FROM company_domains WHERE company_domain = :domain)
      AND l.decided_at > :since AND d.tier = :tier) AS has;

-- name: insert-audit-of-regret
-- One per decision.
INSERT INTO audits (lead_id, epoch, changed, calls, cost_micros, tier_before, tier_after, rule_before, rule_after, steps, at)
VALUES (:lead_id, :epoch, :changed, :calls, :cost_micros, :tier_before, :tier_after, :rule_before, :rule_after, :steps, :at);

-- name: regret
-- The audits, summed up.
SELECT count(*) AS audits, COALESCE(sum(CASE WHEN changed THEN 1 ELSE 0 END), 0) AS changed,
       CAST(COALESCE(sum(cost_micros), 0) AS bigint) AS cost_micros
FROM audits;
