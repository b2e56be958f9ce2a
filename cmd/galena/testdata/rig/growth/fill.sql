-- Grows the store to :leads leads. What the leads of the first run brought with
-- them (schema growth keeps it as it was) is copied under new names: ids, domains
-- and keys get the number of the copy, the rest stays. A statement's cost depends
-- on how many rows there are and how they spread over the indexes, not on what
-- they say. It fills tables that have the columns it knows and leaves the others.
\set ON_ERROR_STOP on
SET synchronous_commit = off;
SET max_parallel_workers_per_gather = 0;
CREATE SCHEMA IF NOT EXISTS growth;
CREATE TABLE IF NOT EXISTS growth.copies (tab text, n bigint);
SELECT set_config('growth.leads', :'leads', false);

-- A name in copy k: ids keep their time, domains their ending.
CREATE OR REPLACE FUNCTION growth.renamed(name text, k bigint) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE
        WHEN name = '' THEN ''
        WHEN name ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-' THEN
            substr(name, 1, 24) || substr(md5(name || k), 1, 12)
        WHEN name ~ '\.example$' THEN regexp_replace(name, '\.example$', '-' || k || '.example')
        ELSE name || '-' || k
    END
$$;

DO $$
DECLARE
    leads  bigint := current_setting('growth.leads')::bigint;
    have   bigint := (SELECT count(*) FROM public.leads);
    seed   bigint;
    last   bigint;
    copies bigint;
    tab    text;
    cols   text;
    vals   text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['leads', 'repeats', 'companies', 'company_domains', 'company_owners', 'person_owners', 'observations',
        'decisions', 'assignments', 'sla_timers', 'notices', 'steps', 'deliveries', 'answers', 'provider_calls', 'provider_claims', 'dns_checks']
    LOOP
        CONTINUE WHEN to_regclass('public.' || tab) IS NULL;
        IF to_regclass('growth.' || tab) IS NULL THEN
            EXECUTE format('CREATE TABLE growth.%I AS SELECT * FROM public.%I', tab, tab);
        END IF;
    END LOOP;
    seed := (SELECT count(*) FROM growth.leads);
    last := coalesce((SELECT max(n) FROM growth.copies), 0);
    copies := greatest(0, (leads - have + seed - 1) / seed);
    FOREACH tab IN ARRAY ARRAY['leads', 'repeats', 'companies', 'company_domains', 'company_owners', 'person_owners', 'observations',
        'decisions', 'assignments', 'sla_timers', 'notices', 'steps', 'deliveries', 'answers', 'provider_calls', 'provider_claims', 'dns_checks']
    LOOP
        CONTINUE WHEN copies = 0 OR to_regclass('public.' || tab) IS NULL;
        SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position),
            string_agg(CASE WHEN data_type = 'text' AND (column_name IN ('id', 'domain', 'host', 'company_domain', 'entity', 'email', 'email_key',
                    'external_id', 'key', 'token') OR column_name LIKE '%\_id')
                THEN format('growth.renamed(s.%I, k)', column_name) ELSE format('s.%I', column_name) END, ', ' ORDER BY ordinal_position)
        INTO cols, vals
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = tab;
        EXECUTE format('INSERT INTO public.%I (%s) SELECT %s FROM growth.%I s CROSS JOIN generate_series(%s, %s) k',
            tab, cols, vals, tab, last + 1, last + copies);
    END LOOP;
    INSERT INTO growth.copies VALUES ('all', last + copies);
END $$;
VACUUM ANALYZE;
SELECT count(*) AS leads, pg_size_pretty(pg_database_size(current_database())) AS size FROM public.leads;
