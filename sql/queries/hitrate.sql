-- name: outcomes
-- The decisions in force of decided leads with a company, the latest first, and what their audit asked: '' = not audited.
SELECT l.id AS id, COALESCE(c.company_domain, l.domain) AS domain, d.body AS body, COALESCE(h.body, '') AS sheet,
       COALESCE((SELECT u.steps FROM audits u WHERE u.lead_id = l.id ORDER BY u.epoch DESC LIMIT 1), '') AS sampled
FROM leads l JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
    LEFT JOIN sheets h ON h.hash = d.sheet
    LEFT JOIN company_domains c ON c.domain = l.domain
WHERE l.status = 'decided' AND l.domain <> '' AND (CAST(:before AS text) = '' OR l.id < :before)
ORDER BY l.id DESC LIMIT :limit;

-- name: freeze-hit-rates
-- The first to count a day is the one whose numbers stand.
INSERT INTO hit_rates (day, companies, tallies, counted_at) VALUES (:day, :companies, :tallies, :counted_at)
ON CONFLICT (day) DO NOTHING;

-- name: hit-rates
-- The newest of a day or before it.
SELECT day, companies, tallies, counted_at FROM hit_rates WHERE day <= :day ORDER BY day DESC LIMIT 1;
