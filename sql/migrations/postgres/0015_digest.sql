-- +goose Up

-- Of what the facts say, without their age: a lead that learns nothing new need not write them again.
ALTER TABLE companies ADD COLUMN digest text NOT NULL DEFAULT '';

-- The large texts of a lead are compressed as they are written. Where the server has lz4 it costs a tenth of the time.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE decisions ALTER COLUMN body SET COMPRESSION lz4;
        ALTER TABLE companies ALTER COLUMN facts SET COMPRESSION lz4;
        ALTER TABLE answers ALTER COLUMN observations SET COMPRESSION lz4;
    END IF;
END $$;
-- +goose StatementEnd
