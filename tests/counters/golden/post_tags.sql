            CREATE OR REPLACE FUNCTION leaderboard_counter_insert_post_tags_9194a() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _before_more boolean; _before_k bigint; _before_1 bigint;
BEGIN

/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
SELECT EXISTS (SELECT FROM new_rows WHERE "post_id" IS NOT NULL OFFSET 1), r._k, r._1::bigint INTO _change_more, _change_k, _change_1
FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r LIMIT 1;
IF _change_k IS NULL THEN
    RETURN NULL;
ELSIF NOT _change_more THEN
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count") VALUES (_change_k, 1, _change_1);
    END IF;
    RETURN NULL;
END IF;
WITH delta AS MATERIALIZED (
    SELECT _k, SUM(_1)::bigint AS _1 FROM (
        SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL
    ) signed GROUP BY _k
    HAVING SUM(_1)::bigint <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "tag_count" = p."tag_count" + delta._1
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
)
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT delta._k, 1, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION leaderboard_counter_insert_post_tags_9194a() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION leaderboard_counter_insert_post_tags_9194a() SET row_security = off;
            REVOKE ALL ON FUNCTION leaderboard_counter_insert_post_tags_9194a() FROM PUBLIC;
            COMMENT ON FUNCTION leaderboard_counter_insert_post_tags_9194a() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS leaderboard_counter_insert_post_tags_9194a ON "counters_post_tags";
            CREATE  TRIGGER leaderboard_counter_insert_post_tags_9194a
                AFTER INSERT ON "counters_post_tags"
                
                REFERENCING NEW TABLE AS new_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION leaderboard_counter_insert_post_tags_9194a();

            COMMENT ON TRIGGER leaderboard_counter_insert_post_tags_9194a ON "counters_post_tags" IS '8c8533c43870b21d4a8da03a27bf2fd266293f9d';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':leaderboard_counter_insert_post_tags_9194a;', '')
                    FROM pg_proc f WHERE f.oid = 'leaderboard_counter_insert_post_tags_9194a'::regproc AND position(';leaderboard_counter_insert_post_tags_9194a;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post_tags"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_insert_post_tags_9194a ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_insert_post_tags_9194a AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION leaderboard_counter_insert_post_tags_9194a()', part, part, '"counters_post_tags"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION leaderboard_counter_update_post_tags_e9a72() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _before_more boolean; _before_k bigint; _before_1 bigint;
BEGIN

/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL UNION ALL SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
SELECT EXISTS (SELECT FROM new_rows WHERE "post_id" IS NOT NULL OFFSET 1), r._k, r._1::bigint INTO _change_more, _change_k, _change_1
FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r LIMIT 1;
SELECT EXISTS (SELECT FROM old_rows WHERE "post_id" IS NOT NULL OFFSET 1), r._k, r._1::bigint INTO _before_more, _before_k, _before_1
FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r LIMIT 1;
IF _change_k IS NULL AND _before_k IS NULL THEN
    RETURN NULL;
ELSIF (_change_more OR _before_more) IS NOT TRUE AND COALESCE(_change_k = _before_k, true) THEN
    _change_k := COALESCE(_change_k, _before_k);
    _change_1 := COALESCE(_change_1, 0) - COALESCE(_before_1, 0);
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count") VALUES (_change_k, 1, _change_1);
    END IF;
    RETURN NULL;
END IF;
WITH delta AS MATERIALIZED (
    SELECT _k, SUM(_sign * _1)::bigint AS _1 FROM (
        SELECT 1 AS _sign, r.* FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r
        UNION ALL
        SELECT -1 AS _sign, r.* FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r
    ) signed GROUP BY _k
    HAVING SUM(_sign * _1)::bigint <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "tag_count" = p."tag_count" + delta._1
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
)
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT delta._k, 1, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION leaderboard_counter_update_post_tags_e9a72() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION leaderboard_counter_update_post_tags_e9a72() SET row_security = off;
            REVOKE ALL ON FUNCTION leaderboard_counter_update_post_tags_e9a72() FROM PUBLIC;
            COMMENT ON FUNCTION leaderboard_counter_update_post_tags_e9a72() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS leaderboard_counter_update_post_tags_e9a72 ON "counters_post_tags";
            CREATE  TRIGGER leaderboard_counter_update_post_tags_e9a72
                AFTER UPDATE ON "counters_post_tags"
                
                REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION leaderboard_counter_update_post_tags_e9a72();

            COMMENT ON TRIGGER leaderboard_counter_update_post_tags_e9a72 ON "counters_post_tags" IS '4aa47a3712971fbfea611812695bb3f39e90e778';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':leaderboard_counter_update_post_tags_e9a72;', '')
                    FROM pg_proc f WHERE f.oid = 'leaderboard_counter_update_post_tags_e9a72'::regproc AND position(';leaderboard_counter_update_post_tags_e9a72;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post_tags"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_update_post_tags_e9a72 ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_update_post_tags_e9a72 AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION leaderboard_counter_update_post_tags_e9a72()', part, part, '"counters_post_tags"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION leaderboard_counter_delete_post_tags_22eae() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _before_more boolean; _before_k bigint; _before_1 bigint;
BEGIN

/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
SELECT EXISTS (SELECT FROM old_rows WHERE "post_id" IS NOT NULL OFFSET 1), r._k, r._1::bigint INTO _change_more, _change_k, _change_1
FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r LIMIT 1;
IF _change_k IS NULL THEN
    RETURN NULL;
ELSIF NOT _change_more THEN
    _change_1 := -_change_1;
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count") VALUES (_change_k, 1, _change_1);
    END IF;
    RETURN NULL;
END IF;
WITH delta AS MATERIALIZED (
    SELECT _k, SUM(_sign * _1)::bigint AS _1 FROM (
        SELECT -1 AS _sign, r.* FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r
    ) signed GROUP BY _k
    HAVING SUM(_sign * _1)::bigint <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "tag_count" = p."tag_count" + delta._1
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
)
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT delta._k, 1, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION leaderboard_counter_delete_post_tags_22eae() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION leaderboard_counter_delete_post_tags_22eae() SET row_security = off;
            REVOKE ALL ON FUNCTION leaderboard_counter_delete_post_tags_22eae() FROM PUBLIC;
            COMMENT ON FUNCTION leaderboard_counter_delete_post_tags_22eae() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS leaderboard_counter_delete_post_tags_22eae ON "counters_post_tags";
            CREATE  TRIGGER leaderboard_counter_delete_post_tags_22eae
                AFTER DELETE ON "counters_post_tags"
                
                REFERENCING OLD TABLE AS old_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION leaderboard_counter_delete_post_tags_22eae();

            COMMENT ON TRIGGER leaderboard_counter_delete_post_tags_22eae ON "counters_post_tags" IS 'cba7871bd02ea011773645f317edb66a8e9754b4';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':leaderboard_counter_delete_post_tags_22eae;', '')
                    FROM pg_proc f WHERE f.oid = 'leaderboard_counter_delete_post_tags_22eae'::regproc AND position(';leaderboard_counter_delete_post_tags_22eae;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post_tags"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_delete_post_tags_22eae ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_delete_post_tags_22eae AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION leaderboard_counter_delete_post_tags_22eae()', part, part, '"counters_post_tags"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION leaderboard_counter_truncate_post_tags_b0ad1() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
IF EXISTS (SELECT FROM "counters_post_tags") THEN
    WITH batch AS MATERIALIZED (
    SELECT p."id" AS _k, p."tag_count" AS _1 FROM "counters_post" p 
), live AS MATERIALIZED (
    SELECT r._k, SUM(_1)::bigint AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT b._k FROM batch b) GROUP BY r._k
), waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."tag_count"))::bigint AS _1 FROM "counters_post_tags_journal" j
    WHERE j.key IN (SELECT b._k FROM batch b) AND j.reason <> -1 GROUP BY j.key
), drift AS MATERIALIZED (
    SELECT d.* FROM (
        SELECT b._k, COALESCE(live._1, 0) - b._1 - COALESCE(waits._1, 0) AS _1 FROM batch b
        LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k
    ) d WHERE d._1 <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT drift._k FROM drift) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "tag_count" = p."tag_count" + drift._1
    FROM drift JOIN held ON held._k = drift._k WHERE p."id" = drift._k;
    
WITH waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."tag_count") FILTER (WHERE j.reason <> -1))::bigint AS _1 FROM "counters_post_tags_journal" j
    WHERE NOT EXISTS (
        SELECT FROM "counters_post" p WHERE p."id" = j.key
    ) GROUP BY j.key
), live AS MATERIALIZED (
    SELECT r._k, SUM(r._1) AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT waits._k FROM waits) GROUP BY r._k
), cleared AS (
    DELETE FROM "counters_post_tags_journal" j USING waits WHERE j.key = waits._k AND j.reason = -1
)
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT d._k, 1, d._1 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0;
    RETURN NULL;
END IF;
UPDATE "counters_post" SET "tag_count" = 0 WHERE "tag_count" <> 0;
DELETE FROM "counters_post_tags_journal";
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION leaderboard_counter_truncate_post_tags_b0ad1() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION leaderboard_counter_truncate_post_tags_b0ad1() SET row_security = off;
            REVOKE ALL ON FUNCTION leaderboard_counter_truncate_post_tags_b0ad1() FROM PUBLIC;
            COMMENT ON FUNCTION leaderboard_counter_truncate_post_tags_b0ad1() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS leaderboard_counter_truncate_post_tags_b0ad1 ON "counters_post_tags";
            CREATE  TRIGGER leaderboard_counter_truncate_post_tags_b0ad1
                AFTER TRUNCATE ON "counters_post_tags"
                
                
                FOR EACH STATEMENT 
                EXECUTE FUNCTION leaderboard_counter_truncate_post_tags_b0ad1();

            COMMENT ON TRIGGER leaderboard_counter_truncate_post_tags_b0ad1 ON "counters_post_tags" IS 'e4890830e3dd914c7a238993c56227f4aa7e0ff2';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':leaderboard_counter_truncate_post_tags_b0ad1;', '')
                    FROM pg_proc f WHERE f.oid = 'leaderboard_counter_truncate_post_tags_b0ad1'::regproc AND position(';leaderboard_counter_truncate_post_tags_b0ad1;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post_tags"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_truncate_post_tags_b0ad1 ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_truncate_post_tags_b0ad1 AFTER TRUNCATE ON %s  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION leaderboard_counter_truncate_post_tags_b0ad1()', part, part, '"counters_post_tags"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_arrive_post_tags_115cf() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF EXISTS (SELECT FROM "counters_post_tags_journal" j) THEN
    
WITH held AS MATERIALIZED (
    SELECT p."id" AS key FROM "counters_post" p WHERE p."id" IN (SELECT n."id" FROM new_rows n) ORDER BY p."id" FOR NO KEY UPDATE
), taken AS (
    DELETE FROM "counters_post_tags_journal" j USING held WHERE j.key = held.key AND j.reason <> -1
    RETURNING j.*
), d AS (
    SELECT j.key, SUM(j."tag_count")::bigint AS "tag_count" FROM taken j GROUP BY j.key
)
UPDATE "counters_post" p SET "tag_count" = p."tag_count" + d."tag_count" FROM d WHERE p."id" = d.key;
END IF;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_arrive_post_tags_115cf() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_arrive_post_tags_115cf() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_arrive_post_tags_115cf() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_arrive_post_tags_115cf() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_arrive_post_tags_115cf ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_arrive_post_tags_115cf
                AFTER INSERT ON "counters_post"
                
                REFERENCING NEW TABLE AS new_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION pgtrigger_counter_arrive_post_tags_115cf();

            COMMENT ON TRIGGER pgtrigger_counter_arrive_post_tags_115cf ON "counters_post" IS '741093251b698b06b6cbd9e19aa122b78d2d41eb';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_arrive_post_tags_115cf;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_arrive_post_tags_115cf'::regproc AND position(';pgtrigger_counter_arrive_post_tags_115cf;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_arrive_post_tags_115cf ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_arrive_post_tags_115cf AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION pgtrigger_counter_arrive_post_tags_115cf()', part, part, '"counters_post"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_leave_post_tags_a1b76() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT o."id", 1, o."tag_count" FROM old_rows o
WHERE o."tag_count" <> 0 OR EXISTS (SELECT FROM "counters_post_tags_journal" j WHERE j.key = o."id");
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_leave_post_tags_a1b76() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_leave_post_tags_a1b76() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_leave_post_tags_a1b76() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_leave_post_tags_a1b76() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_leave_post_tags_a1b76 ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_leave_post_tags_a1b76
                AFTER DELETE ON "counters_post"
                
                REFERENCING OLD TABLE AS old_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION pgtrigger_counter_leave_post_tags_a1b76();

            COMMENT ON TRIGGER pgtrigger_counter_leave_post_tags_a1b76 ON "counters_post" IS '82e9e892521245d145de5c1737e860e140187cd1';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_leave_post_tags_a1b76;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_leave_post_tags_a1b76'::regproc AND position(';pgtrigger_counter_leave_post_tags_a1b76;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_leave_post_tags_a1b76 ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_leave_post_tags_a1b76 AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION pgtrigger_counter_leave_post_tags_a1b76()', part, part, '"counters_post"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_empty_post_tags_98ee8() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
WITH gone AS (
    DELETE FROM "counters_post_tags_journal"
) /* in one statement: what comes to wait meanwhile is not among the rows that are found */
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT _k, 1, SUM(_1)::bigint AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r GROUP BY _k HAVING SUM(_1)::bigint <> 0;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_empty_post_tags_98ee8() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_empty_post_tags_98ee8() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_empty_post_tags_98ee8() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_empty_post_tags_98ee8() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_empty_post_tags_98ee8 ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_empty_post_tags_98ee8
                AFTER TRUNCATE ON "counters_post"
                
                
                FOR EACH STATEMENT 
                EXECUTE FUNCTION pgtrigger_counter_empty_post_tags_98ee8();

            COMMENT ON TRIGGER pgtrigger_counter_empty_post_tags_98ee8 ON "counters_post" IS '1420b2805fbb19fd36fa6c7d79736c6b8973bcf4';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_empty_post_tags_98ee8;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_empty_post_tags_98ee8'::regproc AND position(';pgtrigger_counter_empty_post_tags_98ee8;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_empty_post_tags_98ee8 ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_empty_post_tags_98ee8 AFTER TRUNCATE ON %s  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION pgtrigger_counter_empty_post_tags_98ee8()', part, part, '"counters_post"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_rekey_post_tags_597f0() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count") SELECT OLD."id", 1, OLD."tag_count" WHERE OLD."id" IS NOT NULL;
WITH j AS (DELETE FROM "counters_post_tags_journal" j WHERE j.key = NEW."id" AND j.reason <> -1 RETURNING j.*) SELECT COALESCE(SUM(j."tag_count"), 0) INTO NEW."tag_count" FROM j;
RETURN NEW;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_rekey_post_tags_597f0() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_rekey_post_tags_597f0() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_rekey_post_tags_597f0() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_rekey_post_tags_597f0() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_rekey_post_tags_597f0 ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_rekey_post_tags_597f0
                BEFORE UPDATE OF "id" ON "counters_post"
                
                
                FOR EACH ROW WHEN (OLD."id" IS DISTINCT FROM NEW."id")
                EXECUTE FUNCTION pgtrigger_counter_rekey_post_tags_597f0();

            COMMENT ON TRIGGER pgtrigger_counter_rekey_post_tags_597f0 ON "counters_post" IS '4b8cfe296cd6b772472257f84c430086aa4ce433';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_rekey_post_tags_597f0;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_rekey_post_tags_597f0'::regproc AND position(';pgtrigger_counter_rekey_post_tags_597f0;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_journal_post_tags_guard_410b9() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF current_setting('leaderboard.upkeep', true) = 'on' THEN
    RETURN COALESCE(NEW, OLD);
END IF;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_journal_post_tags_guard_410b9() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_journal_post_tags_guard_410b9() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_journal_post_tags_guard_410b9() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_journal_post_tags_guard_410b9() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_journal_post_tags_guard_410b9 ON "counters_post_tags_journal";
            CREATE  TRIGGER pgtrigger_journal_post_tags_guard_410b9
                BEFORE INSERT OR UPDATE OR DELETE ON "counters_post_tags_journal"
                
                
                FOR EACH ROW WHEN (pg_trigger_depth() = 0)
                EXECUTE FUNCTION pgtrigger_journal_post_tags_guard_410b9();

            COMMENT ON TRIGGER pgtrigger_journal_post_tags_guard_410b9 ON "counters_post_tags_journal" IS 'e5772cb03143469a47e60c04d40f182aa296af59';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_journal_post_tags_guard_410b9;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_journal_post_tags_guard_410b9'::regproc AND position(';pgtrigger_journal_post_tags_guard_410b9;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_journal_post_tags_settle_68d83() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF NOT EXISTS (SELECT FROM "counters_post_tags_journal" j WHERE j.id = NEW.id) THEN
    RETURN NULL;
END IF;
IF NEW.reason = 1 THEN
    
WITH held AS MATERIALIZED (
    SELECT FROM "counters_post" p WHERE p."id" = NEW.key FOR NO KEY UPDATE
), taken AS (
    DELETE FROM "counters_post_tags_journal" j WHERE j.key = NEW.key AND j.reason <> -1 AND EXISTS (SELECT FROM held) RETURNING j.*
), d AS (
    SELECT SUM(j."tag_count")::bigint AS "tag_count" FROM taken j HAVING count(*) > 0
)
UPDATE "counters_post" p SET "tag_count" = p."tag_count" + d."tag_count" FROM d WHERE p."id" = NEW.key;
    
WITH mine AS MATERIALIZED (
    SELECT j.* FROM "counters_post_tags_journal" j WHERE j.key IN (NEW.key)
    AND NOT EXISTS (SELECT FROM "counters_post" p WHERE p."id" = j.key)
    FOR UPDATE SKIP LOCKED
), balanced AS MATERIALIZED (
    SELECT mine.key FROM mine GROUP BY mine.key HAVING SUM(mine."tag_count") = 0
)
DELETE FROM "counters_post_tags_journal" j USING mine, balanced WHERE j.id = mine.id AND mine.key = balanced.key;
ELSIF current_setting('transaction_isolation') = 'read committed' THEN
    
WITH held AS MATERIALIZED (
    SELECT FROM "counters_post" p WHERE p."id" = NEW.key FOR NO KEY UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM "counters_post_tags_journal" j WHERE j.key = NEW.key AND j.reason <> -1 AND EXISTS (SELECT FROM held) RETURNING j.*
), d AS (
    SELECT SUM(j."tag_count")::bigint AS "tag_count" FROM taken j HAVING count(*) > 0
)
UPDATE "counters_post" p SET "tag_count" = p."tag_count" + d."tag_count" FROM d WHERE p."id" = NEW.key;
END IF;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_journal_post_tags_settle_68d83() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_journal_post_tags_settle_68d83() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_journal_post_tags_settle_68d83() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_journal_post_tags_settle_68d83() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_journal_post_tags_settle_68d83 ON "counters_post_tags_journal";
            CREATE CONSTRAINT TRIGGER pgtrigger_journal_post_tags_settle_68d83
                AFTER INSERT ON "counters_post_tags_journal"
                DEFERRABLE INITIALLY DEFERRED
                
                FOR EACH ROW WHEN (NEW.reason > 0)
                EXECUTE FUNCTION pgtrigger_journal_post_tags_settle_68d83();

            COMMENT ON TRIGGER pgtrigger_journal_post_tags_settle_68d83 ON "counters_post_tags_journal" IS '5eca58a08ec0ca17974d34212bfdf5f59f709286';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_journal_post_tags_settle_68d83;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_journal_post_tags_settle_68d83'::regproc AND position(';pgtrigger_journal_post_tags_settle_68d83;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_recount_post_tags_fcbdf() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
    WITH batch AS MATERIALIZED (
    SELECT p."id" AS _k, p."tag_count" AS _1 FROM "counters_post" p 
), live AS MATERIALIZED (
    SELECT r._k, SUM(_1)::bigint AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT b._k FROM batch b) GROUP BY r._k
), waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."tag_count"))::bigint AS _1 FROM "counters_post_tags_journal" j
    WHERE j.key IN (SELECT b._k FROM batch b) AND j.reason <> -1 GROUP BY j.key
), drift AS MATERIALIZED (
    SELECT d.* FROM (
        SELECT b._k, COALESCE(live._1, 0) - b._1 - COALESCE(waits._1, 0) AS _1 FROM batch b
        LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k
    ) d WHERE d._1 <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT drift._k FROM drift) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "tag_count" = p."tag_count" + drift._1
    FROM drift JOIN held ON held._k = drift._k WHERE p."id" = drift._k;
    
WITH waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."tag_count") FILTER (WHERE j.reason <> -1))::bigint AS _1 FROM "counters_post_tags_journal" j
    WHERE NOT EXISTS (
        SELECT FROM "counters_post" p WHERE p."id" = j.key
    ) GROUP BY j.key
), live AS MATERIALIZED (
    SELECT r._k, SUM(r._1) AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT waits._k FROM waits) GROUP BY r._k
), cleared AS (
    DELETE FROM "counters_post_tags_journal" j USING waits WHERE j.key = waits._k AND j.reason = -1
)
INSERT INTO "counters_post_tags_journal" (key, reason, "tag_count")
SELECT d._k, 1, d._1 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_recount_post_tags_fcbdf() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_recount_post_tags_fcbdf() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_recount_post_tags_fcbdf() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_recount_post_tags_fcbdf() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_recount_post_tags_fcbdf ON "counters_post_tags_journal";
            CREATE  TRIGGER pgtrigger_counter_recount_post_tags_fcbdf
                AFTER TRUNCATE ON "counters_post_tags_journal"
                
                
                FOR EACH STATEMENT 
                EXECUTE FUNCTION pgtrigger_counter_recount_post_tags_fcbdf();

            COMMENT ON TRIGGER pgtrigger_counter_recount_post_tags_fcbdf ON "counters_post_tags_journal" IS '3685c2ecc1409e54d299395e13ebad0f34a2fe53';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_recount_post_tags_fcbdf;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_recount_post_tags_fcbdf'::regproc AND position(';pgtrigger_counter_recount_post_tags_fcbdf;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_post_tags_journal"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_recount_post_tags_fcbdf ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_recount_post_tags_fcbdf AFTER TRUNCATE ON %s  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION pgtrigger_counter_recount_post_tags_fcbdf()', part, part, '"counters_post_tags_journal"'
                    );
                END LOOP;
            END $parts$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_start_post_ee3d7() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

NEW."comment_count" := 0;
NEW."karma" := 0;
NEW."spent" := 0;
NEW."last_comment_at" := NULL;
NEW."fewest_votes" := NULL;
NEW."tag_count" := 0;
NEW."vote_count" := 0;
NEW."rating_sum" := 0;
NEW."rating_count" := 0;
NEW."rating" := NULL;
NEW."heaviest_mention" := NULL;
RETURN NEW;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_start_post_ee3d7() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_start_post_ee3d7() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_start_post_ee3d7() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_start_post_ee3d7() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_start_post_ee3d7 ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_start_post_ee3d7
                BEFORE INSERT ON "counters_post"
                
                
                FOR EACH ROW WHEN (NEW."comment_count" IS DISTINCT FROM 0 OR NEW."karma" IS DISTINCT FROM 0 OR NEW."spent" IS DISTINCT FROM 0 OR NEW."last_comment_at" IS DISTINCT FROM NULL OR NEW."fewest_votes" IS DISTINCT FROM NULL OR NEW."tag_count" IS DISTINCT FROM 0 OR NEW."vote_count" IS DISTINCT FROM 0 OR NEW."rating_sum" IS DISTINCT FROM 0 OR NEW."rating_count" IS DISTINCT FROM 0 OR NEW."rating" IS DISTINCT FROM NULL OR NEW."heaviest_mention" IS DISTINCT FROM NULL)
                EXECUTE FUNCTION pgtrigger_counter_start_post_ee3d7();

            COMMENT ON TRIGGER pgtrigger_counter_start_post_ee3d7 ON "counters_post" IS 'ee4ba7f1809d0d19e51facbfce0c0903cfd982d3';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_start_post_ee3d7;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_start_post_ee3d7'::regproc AND position(';pgtrigger_counter_start_post_ee3d7;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        

            CREATE OR REPLACE FUNCTION pgtrigger_counter_keep_post_5c4c8() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column

BEGIN

IF current_setting('leaderboard.upkeep', true) = 'on' OR NOT (OLD."comment_count" IS DISTINCT FROM NEW."comment_count" OR OLD."karma" IS DISTINCT FROM NEW."karma" OR OLD."spent" IS DISTINCT FROM NEW."spent" OR OLD."last_comment_at" IS DISTINCT FROM NEW."last_comment_at" OR OLD."fewest_votes" IS DISTINCT FROM NEW."fewest_votes" OR OLD."tag_count" IS DISTINCT FROM NEW."tag_count" OR OLD."vote_count" IS DISTINCT FROM NEW."vote_count" OR OLD."rating_sum" IS DISTINCT FROM NEW."rating_sum" OR OLD."rating_count" IS DISTINCT FROM NEW."rating_count" OR OLD."rating" IS DISTINCT FROM NEW."rating" OR OLD."heaviest_mention" IS DISTINCT FROM NEW."heaviest_mention") THEN
    RETURN NEW;
ELSIF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_comments_journal" (key, reason) VALUES (OLD."id", -1);
    INSERT INTO "counters_post_tags_journal" (key, reason) VALUES (OLD."id", -1);
    INSERT INTO "counters_post_votes_cast_journal" (key, reason) VALUES (OLD."id", -1);
    INSERT INTO "counters_post_reviews_journal" (key, reason) VALUES (OLD."id", -1);
    IF OLD."slug" IS NULL THEN NEW."heaviest_mention" := OLD."heaviest_mention"; ELSE INSERT INTO "counters_post_mentions_journal" (key, reason) VALUES (OLD."slug", -1); END IF;
    RETURN NEW;
END IF;
NEW."comment_count" := OLD."comment_count";
NEW."karma" := OLD."karma";
NEW."spent" := OLD."spent";
NEW."last_comment_at" := OLD."last_comment_at";
NEW."fewest_votes" := OLD."fewest_votes";
NEW."tag_count" := OLD."tag_count";
NEW."vote_count" := OLD."vote_count";
NEW."rating_sum" := OLD."rating_sum";
NEW."rating_count" := OLD."rating_count";
NEW."rating" := OLD."rating";
NEW."heaviest_mention" := OLD."heaviest_mention";
RETURN NEW;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_keep_post_5c4c8() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_keep_post_5c4c8() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_keep_post_5c4c8() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_keep_post_5c4c8() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_keep_post_5c4c8 ON "counters_post";
            CREATE  TRIGGER pgtrigger_counter_keep_post_5c4c8
                BEFORE UPDATE OF "comment_count", "karma", "spent", "last_comment_at", "fewest_votes", "tag_count", "vote_count", "rating_sum", "rating_count", "rating", "heaviest_mention" ON "counters_post"
                
                
                FOR EACH ROW WHEN (pg_trigger_depth() = 0)
                EXECUTE FUNCTION pgtrigger_counter_keep_post_5c4c8();

            COMMENT ON TRIGGER pgtrigger_counter_keep_post_5c4c8 ON "counters_post" IS 'aa52059821598ebaddc1273f79d81eda60768d72';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_keep_post_5c4c8;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_keep_post_5c4c8'::regproc AND position(';pgtrigger_counter_keep_post_5c4c8;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
