-- +goose Up

-- What a vendor said in one answer, once a decision or a record saw it: one row, where each value was a row before. fields
-- lists what the answer had, used is an object of those on which a decision rests. Never changed but for used, never removed.
CREATE TABLE answer_log (
    request_id   text COLLATE "C" PRIMARY KEY,
    provider     text NOT NULL,
    domain       text NOT NULL,
    fetched_at   bigint NOT NULL,
    cost_micros  bigint NOT NULL,
    fields       text NOT NULL,
    used         text NOT NULL,
    observations text NOT NULL
);
CREATE INDEX answer_log_by_time ON answer_log USING brin (fetched_at) WITH (pages_per_range = 32, autosummarize = on);
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE answer_log ALTER COLUMN observations SET COMPRESSION lz4;
    END IF;
END $$;
-- +goose StatementEnd
