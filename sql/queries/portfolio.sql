-- name: portfolio-size
-- How many leads are decided, counted no further than :most.
SELECT count(*) AS leads FROM (SELECT 1 FROM leads WHERE status = 'decided' LIMIT :most) AS counted;

-- name: portfolio
-- The decisions in force of the latest decided leads.
SELECT d.body AS body, COALESCE(h.body, '') AS sheet
FROM leads l JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
LEFT JOIN sheets h ON h.hash = d.sheet
WHERE l.status = 'decided' ORDER BY l.id DESC LIMIT :limit;

-- name: means
-- The portfolio means of a profile. None: they were not counted yet.
SELECT leads, means, frozen_at FROM portfolio_means WHERE profile = :profile;

-- name: freeze-means
-- The first to count them is the one whose numbers stand.
INSERT INTO portfolio_means (profile, leads, means, frozen_at) VALUES (:profile, :leads, :means, :frozen_at)
ON CONFLICT (profile) DO NOTHING;
