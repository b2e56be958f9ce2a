-- name: portfolio-size
-- How many leads are decided, counted no further than :most.
SELECT count(*) AS leads FROM (SELECT 1 FROM leads WHERE status = 'decided' LIMIT :most) AS counted;

-- name: portfolio
-- The decisions in force of the latest decided leads, those before :before if it is not empty.
SELECT l.id AS id, d.body AS body, d.sheet AS sheet
FROM leads l JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch
WHERE l.status = 'decided' AND (CAST(:before AS text) = '' OR l.id < :before)
ORDER BY l.id DESC LIMIT :limit;

-- name: sheets-named
-- The sheets of these hashes.
SELECT hash, body FROM sheets WHERE hash IN (SELECT value FROM jsonb_array_elements_text(CAST(:hashes AS jsonb)));

-- name: means
-- The portfolio means of a profile. None: they were not counted yet.
SELECT leads, means, frozen_at FROM portfolio_means WHERE profile = :profile;

-- name: freeze-means
-- The first to count them is the one whose numbers stand.
INSERT INTO portfolio_means (profile, leads, means, frozen_at) VALUES (:profile, :leads, :means, :frozen_at)
ON CONFLICT (profile) DO NOTHING;
