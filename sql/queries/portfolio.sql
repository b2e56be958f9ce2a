-- name: portfolio-size
-- How many leads are decided, counted no further than :most.
SELECT count(*) AS leads FROM (SELECT 1 FROM leads WHERE status = 'decided' LIMIT :most) AS counted;

-- name: portfolio
-- The latest :limit leads before :before, with the decision in force where one is decided. The page is cut before anything
-- is asked of its leads: asked for together, a plan made while few were decided would sort all of them for every page.
SELECT l.id AS id, COALESCE(d.body, '') AS body, COALESCE(d.sheet, '') AS sheet
FROM (SELECT id, epoch, status FROM leads WHERE id < :before ORDER BY id DESC LIMIT :limit) AS l
LEFT JOIN decisions d ON d.lead_id = l.id AND d.epoch = l.epoch AND l.status = 'decided'
ORDER BY l.id DESC;

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
