-- counter_insert_post_tags AFTER INSERT counters_post_tags
DECLARE _change_more boolean; _change_k bigint; _change_1 bigint;
/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
FOR _change_k, _change_1 IN
    SELECT r._k, r._1::bigint FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
IF NOT _change_more THEN
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count") VALUES (_change_k, 1, true, _change_1);
    END IF;
    RETURN NULL;
ELSIF _change_more IS NULL THEN
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT delta._k, 1, true, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL ORDER BY delta._k;
RETURN NULL;

-- counter_update_post_tags AFTER UPDATE counters_post_tags
DECLARE _change_more boolean; _change_k bigint; _change_1 bigint; _before_more boolean; _before_k bigint; _before_1 bigint;
/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL UNION ALL SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
FOR _change_k, _change_1 IN
    SELECT r._k, r._1::bigint FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
FOR _before_k, _before_1 IN
    SELECT r._k, r._1::bigint FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _before_more := _before_more IS NOT NULL;
    EXIT WHEN _before_more;
END LOOP;
IF NOT (_change_k IS NULL AND _before_k IS NULL) AND (_change_more OR _before_more) IS NOT TRUE AND COALESCE(_change_k = _before_k, true) THEN
    _change_k := COALESCE(_change_k, _before_k);
    _change_1 := COALESCE(_change_1, 0) - COALESCE(_before_1, 0);
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count") VALUES (_change_k, 1, true, _change_1);
    END IF;
    RETURN NULL;
ELSIF _change_k IS NULL AND _before_k IS NULL THEN
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT delta._k, 1, true, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL ORDER BY delta._k;
RETURN NULL;

-- counter_delete_post_tags AFTER DELETE counters_post_tags
DECLARE _change_more boolean; _change_k bigint; _change_1 bigint;
/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
FOR _change_k, _change_1 IN
    SELECT r._k, r._1::bigint FROM (SELECT "post_id" AS _k, 1 AS _1 FROM old_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
IF NOT _change_more THEN
    _change_1 := -_change_1;
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count") VALUES (_change_k, 1, true, _change_1);
    END IF;
    RETURN NULL;
ELSIF _change_more IS NULL THEN
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT delta._k, 1, true, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL ORDER BY delta._k;
RETURN NULL;

-- counter_truncate_post_tags AFTER TRUNCATE counters_post_tags

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
LOCK TABLE "counters_post_tags_journal" IN SHARE ROW EXCLUSIVE MODE;
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT d._k, 1, true, d._1 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0;
    RETURN NULL;
END IF;
UPDATE "counters_post" SET "tag_count" = 0 WHERE "tag_count" <> 0;
DELETE FROM "counters_post_tags_journal";
RETURN NULL;

-- counter_arrive_post_tags AFTER INSERT counters_post

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

-- counter_leave_post_tags AFTER DELETE counters_post

INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT o."id", 1, true, o."tag_count" FROM old_rows o
WHERE o."tag_count" <> 0 OR EXISTS (SELECT FROM "counters_post_tags_journal" j WHERE j.key = o."id")
ORDER BY o."id";
RETURN NULL;

-- counter_empty_post_tags AFTER TRUNCATE counters_post

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
WITH gone AS (
    DELETE FROM "counters_post_tags_journal"
) /* in one statement: what comes to wait meanwhile is not among the rows that are found */
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT _k, 1, true, SUM(_1)::bigint AS _1 FROM (SELECT "post_id" AS _k, 1 AS _1 FROM "counters_post_tags" WHERE "post_id" IS NOT NULL) r GROUP BY _k HAVING SUM(_1)::bigint <> 0;
RETURN NULL;

-- counter_rekey_post_tags BEFORE UPDATE OF "id" counters_post WHEN (OLD."id" IS DISTINCT FROM NEW."id")

INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count") SELECT OLD."id", 1, true, OLD."tag_count" WHERE OLD."id" IS NOT NULL;
WITH j AS (DELETE FROM "counters_post_tags_journal" j WHERE j.key = NEW."id" AND j.reason <> -1 RETURNING j.*) SELECT COALESCE(SUM(j."tag_count"), 0) INTO NEW."tag_count" FROM j;
RETURN NEW;

-- journal_post_tags_guard BEFORE INSERT OR UPDATE OR DELETE counters_post_tags_journal WHEN (NOT pg_trigger_depth()::bool)

IF current_setting('leaderboard.upkeep', true) = 'on' THEN
    RETURN COALESCE(NEW, OLD);
END IF;
RETURN NULL;

-- journal_post_tags_settle AFTER INSERT counters_post_tags_journal WHEN (NEW.due)

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
END IF;
RETURN NULL;

-- counter_recount_post_tags AFTER TRUNCATE counters_post_tags_journal

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT d._k, 1, true, d._1 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0;
RETURN NULL;

-- counter_start_post BEFORE INSERT counters_post WHEN (NEW."comment_count" IS DISTINCT FROM 0 OR NEW."karma" IS DISTINCT FROM 0 OR NEW."spent" IS DISTINCT FROM 0 OR NEW."last_comment_at" IS DISTINCT FROM NULL OR NEW."fewest_votes" IS DISTINCT FROM NULL OR NEW."tag_count" IS DISTINCT FROM 0 OR NEW."vote_count" IS DISTINCT FROM 0 OR NEW."rating_sum" IS DISTINCT FROM 0 OR NEW."rating_count" IS DISTINCT FROM 0 OR NEW."rating" IS DISTINCT FROM NULL OR NEW."heaviest_mention" IS DISTINCT FROM NULL)

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

-- counter_keep_post BEFORE UPDATE OF "comment_count", "karma", "spent", "last_comment_at", "fewest_votes", "tag_count", "vote_count", "rating_sum", "rating_count", "rating", "heaviest_mention" counters_post WHEN (NOT pg_trigger_depth()::bool)

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

            CREATE OR REPLACE FUNCTION leaderboard_counter_insert_post_tags_9194a() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
DECLARE _change_more boolean; _change_k bigint; _change_1 bigint;
BEGIN

/* counters.Post.tag_count=1e1f1258f2f1072da0abe361e1a01892; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_tags_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
FOR _change_k, _change_1 IN
    SELECT r._k, r._1::bigint FROM (SELECT "post_id" AS _k, 1 AS _1 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
IF NOT _change_more THEN
    IF _change_1 = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE "counters_post" SET "tag_count" = "tag_count" + _change_1
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count") VALUES (_change_k, 1, true, _change_1);
    END IF;
    RETURN NULL;
ELSIF _change_more IS NULL THEN
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
INSERT INTO "counters_post_tags_journal" (key, reason, due, "tag_count")
SELECT delta._k, 1, true, delta._1
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL ORDER BY delta._k;
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

            COMMENT ON TRIGGER leaderboard_counter_insert_post_tags_9194a ON "counters_post_tags" IS 'c162e1f2f08bca5694c7427e49bf01b5b3716af1';

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
                
                
                FOR EACH ROW WHEN (NOT pg_trigger_depth()::bool)
                EXECUTE FUNCTION pgtrigger_counter_keep_post_5c4c8();

            COMMENT ON TRIGGER pgtrigger_counter_keep_post_5c4c8 ON "counters_post" IS 'f3ab4a12254522b4bff3a6c227e7e1e27eb41c0c';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_keep_post_5c4c8;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_keep_post_5c4c8'::regproc AND position(';pgtrigger_counter_keep_post_5c4c8;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
