-- +goose Up

-- What a vendor said of a new company is thirty rows at once, and nearly all that such a company costs. Vendors' words are
-- never looked up by company (they are held in answers), so no index need know them; and rows that only ever come at the end
-- are found by their time with an index that has one entry for many pages.
DROP INDEX observations_by_entity;
CREATE INDEX observations_standing ON observations (entity, class) WHERE class NOT IN ('provider', 'crawl', 'inferred', '');
DROP INDEX observations_by_time;
CREATE INDEX observations_by_time ON observations USING brin (fetched_at) WITH (pages_per_range = 32, autosummarize = on);
