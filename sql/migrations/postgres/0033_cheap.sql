-- +goose Up

-- Most of what is long here is JSON, which Postgres compresses by its own method unless told otherwise: at some 30 MB/s, so
-- that a sheet or an answer cost more to compress than to write. lz4 is ten times as fast and nearly as good. A server that
-- was built without it, or that is too old to be told, stays as it is; so do values that are there already.
-- +goose StatementBegin
DO $$
DECLARE
    long record;
BEGIN
    FOR long IN
        SELECT a.attrelid::regclass AS of, a.attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND a.atttypid = 'text'::regtype
          AND (c.relname, a.attname) IN (('answers', 'observations'), ('sheets', 'body'), ('decisions', 'body'),
              ('deliveries', 'body'), ('companies', 'facts'), ('conflicts', 'candidates'), ('notices', 'body'))
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION lz4', long.of, long.name);
    END LOOP;
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END
$$;
-- +goose StatementEnd

-- Every lead is updated once, when it is decided, and no index knows what changes: with room for the second version on the
-- same page none need be told.
ALTER TABLE leads SET (fillfactor = 55);
