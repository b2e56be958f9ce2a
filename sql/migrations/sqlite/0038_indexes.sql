-- +goose Up

-- What nobody asks by costs every lead its place in the index. Whether a person is a lead is asked of repeats, whose key
-- begins with the person; assignments are found by their lead.
DROP INDEX leads_by_person;
DROP INDEX assignments_by_rep;
