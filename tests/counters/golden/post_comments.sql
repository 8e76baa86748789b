-- counter_insert_post_comments AFTER INSERT counters_comment
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _change_2 bigint; _change_3 numeric; _change_4 timestamp with time zone; _change_5 integer;
/* counters.Post.comment_count=8aeff409d23aae512d6f7f204c5f155c; counters.Post.karma=91af58984c6748100ea4f3018e3ed08c; counters.Post.spent=4ce320a996a0043023a970725c47d402; counters.Post.last_comment_at=dfc671f947afbc7c641b5381454cc120; counters.Post.fewest_votes=afc45919803995a04a95681b964e2431; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_comments_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
IF EXISTS (SELECT FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r WHERE r._3 IN ('NaN', 'Infinity', '-Infinity')) THEN
    RAISE EXCEPTION 'NaN or Infinity in what a counter of post_comments sums'
    USING ERRCODE = 'numeric_value_out_of_range',
    HINT = 'No sum loses it again. Write it within leaderboard.ignore(), and repair when it is gone.';
END IF;
FOR _change_k, _change_1, _change_2, _change_3, _change_4, _change_5 IN
    SELECT r._k, r._1::bigint, r._2::bigint, r._3::numeric, r._4::timestamp with time zone, r._5::integer FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
IF NOT _change_more THEN
    IF _change_2 <> 0 THEN
        INSERT INTO "counters_post_comments_journal" (key, due, "karma") VALUES (_change_k, hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, _change_2);
    END IF;
    UPDATE "counters_post" SET "comment_count" = "comment_count" + _change_1, "spent" = "spent" + _change_3, "last_comment_at" = GREATEST("last_comment_at", _change_4), "fewest_votes" = LEAST("fewest_votes", _change_5)
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "spent") VALUES (_change_k, 1, true, _change_1, _change_3);
    END IF;
    RETURN NULL;
ELSIF _change_more IS NULL THEN
    RETURN NULL;
END IF;
WITH delta AS MATERIALIZED (
    SELECT _k, SUM(_1)::bigint AS _1, SUM(_2)::bigint AS _2, SUM(_3)::numeric AS _3, MAX(_4) AS _4, MIN(_5) AS _5 FROM (
        SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL
    ) signed GROUP BY _k
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "comment_count" = p."comment_count" + delta._1, "spent" = p."spent" + delta._3, "last_comment_at" = GREATEST(p."last_comment_at", delta._4), "fewest_votes" = LEAST(p."fewest_votes", delta._5)
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
)
INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT delta._k, CASE WHEN added._k IS NULL THEN 1 ELSE 0 END, added._k IS NULL OR hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, CASE WHEN added._k IS NULL THEN delta._1 ELSE 0 END, delta._2, CASE WHEN added._k IS NULL THEN delta._3 ELSE 0 END
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL OR delta._2 <> 0 ORDER BY delta._k;
RETURN NULL;

-- counter_update_post_comments AFTER UPDATE counters_comment
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _change_2 bigint; _change_3 numeric; _change_4 timestamp with time zone; _change_5 integer; _before_more boolean; _before_k bigint; _before_1 bigint; _before_2 bigint; _before_3 numeric; _before_4 timestamp with time zone; _before_5 integer;
/* counters.Post.comment_count=8aeff409d23aae512d6f7f204c5f155c; counters.Post.karma=91af58984c6748100ea4f3018e3ed08c; counters.Post.spent=4ce320a996a0043023a970725c47d402; counters.Post.last_comment_at=dfc671f947afbc7c641b5381454cc120; counters.Post.fewest_votes=afc45919803995a04a95681b964e2431; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_comments_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL UNION ALL SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
IF EXISTS (SELECT FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r WHERE r._3 IN ('NaN', 'Infinity', '-Infinity')) OR EXISTS (SELECT FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM old_rows WHERE "post_id" IS NOT NULL) r WHERE r._3 IN ('NaN', 'Infinity', '-Infinity')) THEN
    RAISE EXCEPTION 'NaN or Infinity in what a counter of post_comments sums'
    USING ERRCODE = 'numeric_value_out_of_range',
    HINT = 'No sum loses it again. Write it within leaderboard.ignore(), and repair when it is gone.';
END IF;
FOR _change_k, _change_1, _change_2, _change_3, _change_4, _change_5 IN
    SELECT r._k, r._1::bigint, r._2::bigint, r._3::numeric, r._4::timestamp with time zone, r._5::integer FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
FOR _before_k, _before_1, _before_2, _before_3, _before_4, _before_5 IN
    SELECT r._k, r._1::bigint, r._2::bigint, r._3::numeric, r._4::timestamp with time zone, r._5::integer FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM old_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _before_more := _before_more IS NOT NULL;
    EXIT WHEN _before_more;
END LOOP;
IF (_change_more OR _before_more) IS NOT TRUE AND _change_k IS NOT DISTINCT FROM _before_k AND _change_1 IS NOT DISTINCT FROM _before_1 AND _change_2 IS NOT DISTINCT FROM _before_2 AND _change_3 IS NOT DISTINCT FROM _before_3 AND _change_4 IS NOT DISTINCT FROM _before_4 AND _change_5 IS NOT DISTINCT FROM _before_5 THEN
    RETURN NULL;
END IF;
WITH signed AS MATERIALIZED (
        SELECT 1 AS _sign, r.* FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r
        UNION ALL
        SELECT -1 AS _sign, r.* FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM old_rows WHERE "post_id" IS NOT NULL) r
), /* what came and went with the same value cancels out */ moved AS MATERIALIZED (
    SELECT DISTINCT _k FROM (SELECT _k FROM signed GROUP BY _k, _4, _5 HAVING SUM(_sign) <> 0) m
), delta AS MATERIALIZED (
    SELECT _k, SUM(_sign * _1)::bigint AS _1, SUM(_sign * _2)::bigint AS _2, SUM(_sign * _3)::numeric AS _3 FROM signed GROUP BY _k HAVING _k IN (SELECT _k FROM moved) OR SUM(_sign * _1)::bigint <> 0 OR SUM(_sign * _2)::bigint <> 0 OR SUM(_sign * _3)::numeric <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "comment_count" = p."comment_count" + delta._1, "spent" = p."spent" + delta._3, "last_comment_at" = p."last_comment_at", "fewest_votes" = p."fewest_votes"
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
), recorded AS (
    INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT delta._k, CASE WHEN added._k IS NULL THEN 1 ELSE 0 END, added._k IS NULL OR hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, CASE WHEN added._k IS NULL THEN delta._1 ELSE 0 END, delta._2, CASE WHEN added._k IS NULL THEN delta._3 ELSE 0 END
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL OR delta._2 <> 0 ORDER BY delta._k
)
SELECT array_agg(delta._k) INTO _touched FROM delta;
IF _touched IS NULL THEN
    RETURN NULL;
END IF;
UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (SELECT unnest(_touched)) AND (p."last_comment_at" IS DISTINCT FROM (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL) OR p."fewest_votes" IS DISTINCT FROM (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))));
RETURN NULL;

-- counter_delete_post_comments AFTER DELETE counters_comment
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _change_2 bigint; _change_3 numeric; _change_4 timestamp with time zone; _change_5 integer;
/* counters.Post.comment_count=8aeff409d23aae512d6f7f204c5f155c; counters.Post.karma=91af58984c6748100ea4f3018e3ed08c; counters.Post.spent=4ce320a996a0043023a970725c47d402; counters.Post.last_comment_at=dfc671f947afbc7c641b5381454cc120; counters.Post.fewest_votes=afc45919803995a04a95681b964e2431; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_comments_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM old_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
IF EXISTS (SELECT FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM old_rows WHERE "post_id" IS NOT NULL) r WHERE r._3 IN ('NaN', 'Infinity', '-Infinity')) THEN
    RAISE EXCEPTION 'NaN or Infinity in what a counter of post_comments sums'
    USING ERRCODE = 'numeric_value_out_of_range',
    HINT = 'No sum loses it again. Write it within leaderboard.ignore(), and repair when it is gone.';
END IF;
WITH signed AS MATERIALIZED (
        SELECT -1 AS _sign, r.* FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM old_rows WHERE "post_id" IS NOT NULL) r
), /* what came and went with the same value cancels out */ moved AS MATERIALIZED (
    SELECT DISTINCT _k FROM (SELECT _k FROM signed GROUP BY _k, _4, _5 HAVING SUM(_sign) <> 0) m
), delta AS MATERIALIZED (
    SELECT _k, SUM(_sign * _1)::bigint AS _1, SUM(_sign * _2)::bigint AS _2, SUM(_sign * _3)::numeric AS _3 FROM signed GROUP BY _k HAVING _k IN (SELECT _k FROM moved) OR SUM(_sign * _1)::bigint <> 0 OR SUM(_sign * _2)::bigint <> 0 OR SUM(_sign * _3)::numeric <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "comment_count" = p."comment_count" + delta._1, "spent" = p."spent" + delta._3, "last_comment_at" = p."last_comment_at", "fewest_votes" = p."fewest_votes"
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
), recorded AS (
    INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT delta._k, CASE WHEN added._k IS NULL THEN 1 ELSE 0 END, added._k IS NULL OR hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, CASE WHEN added._k IS NULL THEN delta._1 ELSE 0 END, delta._2, CASE WHEN added._k IS NULL THEN delta._3 ELSE 0 END
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL OR delta._2 <> 0 ORDER BY delta._k
)
SELECT array_agg(delta._k) INTO _touched FROM delta;
IF _touched IS NULL THEN
    RETURN NULL;
END IF;
UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (SELECT unnest(_touched)) AND (p."last_comment_at" IS DISTINCT FROM (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL) OR p."fewest_votes" IS DISTINCT FROM (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))));
RETURN NULL;

-- counter_truncate_post_comments AFTER TRUNCATE counters_comment

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
LOCK TABLE "counters_post_comments_journal" IN SHARE ROW EXCLUSIVE MODE;
IF EXISTS (SELECT FROM "counters_comment") THEN
    WITH held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p WHERE p."id" IN (SELECT p."id" FROM "counters_post" p WHERE p."last_comment_at" IS NOT NULL OR p."fewest_votes" IS NOT NULL) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "last_comment_at" = p."last_comment_at", "fewest_votes" = p."fewest_votes" FROM held WHERE p."id" = held._k;
    UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (SELECT p."id" FROM "counters_post" p WHERE p."last_comment_at" IS NOT NULL OR p."fewest_votes" IS NOT NULL) AND (p."last_comment_at" IS DISTINCT FROM (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL) OR p."fewest_votes" IS DISTINCT FROM (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))));
    WITH batch AS MATERIALIZED (
    SELECT p."id" AS _k, p."comment_count" AS _1, p."karma" AS _2, p."spent" AS _3, p."last_comment_at" AS _4, p."fewest_votes" AS _5 FROM "counters_post" p 
), live AS MATERIALIZED (
    SELECT r._k, SUM(_1)::bigint AS _1, SUM(_2)::bigint AS _2, SUM(_3)::numeric AS _3, MAX(_4) AS _4, MIN(_5) AS _5 FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM "counters_comment" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT b._k FROM batch b) GROUP BY r._k
), waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."comment_count"))::bigint AS _1, (SUM(j."karma"))::bigint AS _2, (SUM(j."spent"))::numeric AS _3 FROM "counters_post_comments_journal" j
    WHERE j.key IN (SELECT b._k FROM batch b) AND j.reason <> -1 GROUP BY j.key
), drift AS MATERIALIZED (
    SELECT d.* FROM (
        SELECT b._k, COALESCE(live._1, 0) - b._1 - COALESCE(waits._1, 0) AS _1, COALESCE(live._2, 0) - b._2 - COALESCE(waits._2, 0) AS _2, COALESCE(live._3, 0) - b._3 - COALESCE(waits._3, 0) AS _3 FROM batch b
        LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k
    ) d WHERE d._1 <> 0 OR d._2 <> 0 OR d._3 <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT drift._k FROM drift) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "comment_count" = p."comment_count" + drift._1, "karma" = p."karma" + drift._2, "spent" = p."spent" + drift._3
    FROM drift JOIN held ON held._k = drift._k WHERE p."id" = drift._k;
    
WITH waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."comment_count") FILTER (WHERE j.reason <> -1))::bigint AS _1, (SUM(j."karma") FILTER (WHERE j.reason <> -1))::bigint AS _2, (SUM(j."spent") FILTER (WHERE j.reason <> -1))::numeric AS _3 FROM "counters_post_comments_journal" j
    WHERE NOT EXISTS (
        SELECT FROM "counters_post" p WHERE p."id" = j.key
    ) GROUP BY j.key
), live AS MATERIALIZED (
    SELECT r._k, SUM(r._1) AS _1, SUM(r._2) AS _2, SUM(r._3) AS _3 FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM "counters_comment" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT waits._k FROM waits) GROUP BY r._k
), cleared AS (
    DELETE FROM "counters_post_comments_journal" j USING waits WHERE j.key = waits._k AND j.reason = -1
)
INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT d._k, 1, true, d._1, d._2, d._3 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1, COALESCE(live._2, 0) - COALESCE(waits._2, 0) AS _2, COALESCE(live._3, 0) - COALESCE(waits._3, 0) AS _3 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0 OR d._2 <> 0 OR d._3 <> 0;
    RETURN NULL;
END IF;
UPDATE "counters_post" SET "comment_count" = 0, "karma" = 0, "spent" = 0, "last_comment_at" = NULL, "fewest_votes" = NULL WHERE "comment_count" <> 0 OR "karma" <> 0 OR "spent" <> 0 OR "last_comment_at" IS NOT NULL OR "fewest_votes" IS NOT NULL;
DELETE FROM "counters_post_comments_journal";
RETURN NULL;

-- counter_arrive_post_comments AFTER INSERT counters_post

IF EXISTS (SELECT FROM "counters_post_comments_journal" j) THEN
    
WITH held AS MATERIALIZED (
    SELECT p."id" AS key FROM "counters_post" p WHERE p."id" IN (SELECT n."id" FROM new_rows n) ORDER BY p."id" FOR NO KEY UPDATE
), taken AS (
    DELETE FROM "counters_post_comments_journal" j USING held WHERE j.key = held.key AND j.reason <> -1
    RETURNING j.*
), d AS (
    SELECT j.key, SUM(j."comment_count")::bigint AS "comment_count", SUM(j."karma")::bigint AS "karma", SUM(j."spent")::numeric AS "spent" FROM taken j GROUP BY j.key
)
UPDATE "counters_post" p SET "comment_count" = p."comment_count" + d."comment_count", "karma" = p."karma" + d."karma", "spent" = p."spent" + d."spent" FROM d WHERE p."id" = d.key;
END IF;
UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (SELECT n."id" FROM new_rows n WHERE (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = n."id" AND "post_id" IS NOT NULL) IS NOT NULL OR (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = n."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) IS NOT NULL);
RETURN NULL;

-- counter_leave_post_comments AFTER DELETE counters_post

INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT o."id", 1, true, o."comment_count", o."karma", o."spent" FROM old_rows o
WHERE o."comment_count" <> 0 OR o."karma" <> 0 OR o."spent" <> 0 OR EXISTS (SELECT FROM "counters_post_comments_journal" j WHERE j.key = o."id")
ORDER BY o."id";
RETURN NULL;

-- counter_empty_post_comments AFTER TRUNCATE counters_post

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
WITH gone AS (
    DELETE FROM "counters_post_comments_journal"
) /* in one statement: what comes to wait meanwhile is not among the rows that are found */
INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT _k, 1, true, SUM(_1)::bigint AS _1, SUM(_2)::bigint AS _2, SUM(_3)::numeric AS _3 FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM "counters_comment" WHERE "post_id" IS NOT NULL) r GROUP BY _k HAVING SUM(_1)::bigint <> 0 OR SUM(_2)::bigint <> 0 OR SUM(_3)::numeric <> 0;
RETURN NULL;

-- counter_rekey_post_comments BEFORE UPDATE OF "id" counters_post WHEN (OLD."id" IS DISTINCT FROM NEW."id")

INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent") SELECT OLD."id", 1, true, OLD."comment_count", OLD."karma", OLD."spent" WHERE OLD."id" IS NOT NULL;
WITH j AS (DELETE FROM "counters_post_comments_journal" j WHERE j.key = NEW."id" AND j.reason <> -1 RETURNING j.*) SELECT COALESCE(SUM(j."comment_count"), 0), COALESCE(SUM(j."karma"), 0), COALESCE(SUM(j."spent"), 0) INTO NEW."comment_count", NEW."karma", NEW."spent" FROM j;
NEW."last_comment_at" := (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = NEW."id" AND "post_id" IS NOT NULL);
NEW."fewest_votes" := (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = NEW."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL)));
RETURN NEW;

-- journal_post_comments_guard BEFORE INSERT OR UPDATE OR DELETE counters_post_comments_journal WHEN (NOT pg_trigger_depth()::bool)

IF current_setting('leaderboard.upkeep', true) = 'on' THEN
    RETURN COALESCE(NEW, OLD);
END IF;
RETURN NULL;

-- journal_post_comments_settle AFTER INSERT counters_post_comments_journal WHEN (NEW.due)

IF NEW.reason <> 1 AND (current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') OR current_setting('transaction_read_only') = 'on') THEN
    RETURN NULL;
END IF;
IF NOT EXISTS (SELECT FROM "counters_post_comments_journal" j WHERE j.id = NEW.id) THEN
    RETURN NULL;
END IF;
IF NEW.reason = 1 THEN
    
WITH held AS MATERIALIZED (
    SELECT FROM "counters_post" p WHERE p."id" = NEW.key FOR NO KEY UPDATE
), taken AS (
    DELETE FROM "counters_post_comments_journal" j WHERE j.key = NEW.key AND j.reason <> -1 AND EXISTS (SELECT FROM held) RETURNING j.*
), d AS (
    SELECT SUM(j."comment_count")::bigint AS "comment_count", SUM(j."karma")::bigint AS "karma", SUM(j."spent")::numeric AS "spent" FROM taken j HAVING count(*) > 0
)
UPDATE "counters_post" p SET "comment_count" = p."comment_count" + d."comment_count", "karma" = p."karma" + d."karma", "spent" = p."spent" + d."spent" FROM d WHERE p."id" = NEW.key;
    WITH held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p WHERE p."id" IN (NEW.key) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "last_comment_at" = p."last_comment_at", "fewest_votes" = p."fewest_votes" FROM held WHERE p."id" = held._k;
    UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (NEW.key) AND (p."last_comment_at" IS DISTINCT FROM (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL) OR p."fewest_votes" IS DISTINCT FROM (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))));
    
WITH mine AS MATERIALIZED (
    SELECT j.* FROM "counters_post_comments_journal" j WHERE j.key IN (NEW.key)
    AND NOT EXISTS (SELECT FROM "counters_post" p WHERE p."id" = j.key)
    FOR UPDATE SKIP LOCKED
), balanced AS MATERIALIZED (
    SELECT mine.key FROM mine GROUP BY mine.key HAVING SUM(mine."comment_count") = 0 AND SUM(mine."karma") = 0 AND SUM(mine."spent") = 0
)
DELETE FROM "counters_post_comments_journal" j USING mine, balanced WHERE j.id = mine.id AND mine.key = balanced.key;
ELSE
    
WITH held AS MATERIALIZED (
    SELECT j.ctid, j.key, j."comment_count", j."karma", j."spent" FROM "counters_post_comments_journal" j
    WHERE j.key IN (NEW.key) AND j.reason = 0 FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM "counters_post_comments_journal" j WHERE j.ctid = ANY (ARRAY(SELECT held.ctid FROM held))
)
INSERT INTO "counters_post_comments_journal" (key, "comment_count", "karma", "spent")
SELECT held.key, SUM(held."comment_count")::bigint AS "comment_count", SUM(held."karma")::bigint AS "karma", SUM(held."spent")::numeric AS "spent" FROM held GROUP BY held.key HAVING SUM(held."comment_count") <> 0 OR SUM(held."karma") <> 0 OR SUM(held."spent") <> 0;
END IF;
RETURN NULL;

-- counter_recount_post_comments AFTER TRUNCATE counters_post_comments_journal

IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'TRUNCATE of a table with counters needs READ COMMITTED'
    USING ERRCODE = 'feature_not_supported',
    HINT = 'Its snapshot may be older than rows that it removes. Use DELETE.';
END IF;
    WITH held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p WHERE p."id" IN (SELECT p."id" FROM "counters_post" p WHERE p."last_comment_at" IS NOT NULL OR p."fewest_votes" IS NOT NULL) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "last_comment_at" = p."last_comment_at", "fewest_votes" = p."fewest_votes" FROM held WHERE p."id" = held._k;
    UPDATE "counters_post" p SET "last_comment_at" = (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL), "fewest_votes" = (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))) WHERE p."id" IN (SELECT p."id" FROM "counters_post" p WHERE p."last_comment_at" IS NOT NULL OR p."fewest_votes" IS NOT NULL) AND (p."last_comment_at" IS DISTINCT FROM (SELECT MAX("written_at") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL) OR p."fewest_votes" IS DISTINCT FROM (SELECT MIN("votes") FROM "counters_comment" WHERE "post_id" = p."id" AND "post_id" IS NOT NULL AND (NOT ("author_id" IS NULL))));
    WITH batch AS MATERIALIZED (
    SELECT p."id" AS _k, p."comment_count" AS _1, p."karma" AS _2, p."spent" AS _3, p."last_comment_at" AS _4, p."fewest_votes" AS _5 FROM "counters_post" p 
), live AS MATERIALIZED (
    SELECT r._k, SUM(_1)::bigint AS _1, SUM(_2)::bigint AS _2, SUM(_3)::numeric AS _3, MAX(_4) AS _4, MIN(_5) AS _5 FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM "counters_comment" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT b._k FROM batch b) GROUP BY r._k
), waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."comment_count"))::bigint AS _1, (SUM(j."karma"))::bigint AS _2, (SUM(j."spent"))::numeric AS _3 FROM "counters_post_comments_journal" j
    WHERE j.key IN (SELECT b._k FROM batch b) AND j.reason <> -1 GROUP BY j.key
), drift AS MATERIALIZED (
    SELECT d.* FROM (
        SELECT b._k, COALESCE(live._1, 0) - b._1 - COALESCE(waits._1, 0) AS _1, COALESCE(live._2, 0) - b._2 - COALESCE(waits._2, 0) AS _2, COALESCE(live._3, 0) - b._3 - COALESCE(waits._3, 0) AS _3 FROM batch b
        LEFT JOIN live ON live._k = b._k LEFT JOIN waits ON waits._k = b._k
    ) d WHERE d._1 <> 0 OR d._2 <> 0 OR d._3 <> 0
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT drift._k FROM drift) ORDER BY p."id"
    FOR NO KEY UPDATE
)
UPDATE "counters_post" p SET "comment_count" = p."comment_count" + drift._1, "karma" = p."karma" + drift._2, "spent" = p."spent" + drift._3
    FROM drift JOIN held ON held._k = drift._k WHERE p."id" = drift._k;
    
WITH waits AS MATERIALIZED (
    SELECT j.key AS _k, (SUM(j."comment_count") FILTER (WHERE j.reason <> -1))::bigint AS _1, (SUM(j."karma") FILTER (WHERE j.reason <> -1))::bigint AS _2, (SUM(j."spent") FILTER (WHERE j.reason <> -1))::numeric AS _3 FROM "counters_post_comments_journal" j
    WHERE NOT EXISTS (
        SELECT FROM "counters_post" p WHERE p."id" = j.key
    ) GROUP BY j.key
), live AS MATERIALIZED (
    SELECT r._k, SUM(r._1) AS _1, SUM(r._2) AS _2, SUM(r._3) AS _3 FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM "counters_comment" WHERE "post_id" IS NOT NULL) r WHERE r._k IN (SELECT waits._k FROM waits) GROUP BY r._k
), cleared AS (
    DELETE FROM "counters_post_comments_journal" j USING waits WHERE j.key = waits._k AND j.reason = -1
)
INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT d._k, 1, true, d._1, d._2, d._3 FROM (
    SELECT waits._k, COALESCE(live._1, 0) - COALESCE(waits._1, 0) AS _1, COALESCE(live._2, 0) - COALESCE(waits._2, 0) AS _2, COALESCE(live._3, 0) - COALESCE(waits._3, 0) AS _3 FROM waits LEFT JOIN live ON live._k = waits._k
) d WHERE d._1 <> 0 OR d._2 <> 0 OR d._3 <> 0;
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

            CREATE OR REPLACE FUNCTION pgtrigger_counter_insert_post_comments_02c1e() RETURNS TRIGGER LANGUAGE plpgsql SECURITY DEFINER AS $body$
#variable_conflict use_column
DECLARE _touched bigint[]; _change_more boolean; _change_k bigint; _change_1 bigint; _change_2 bigint; _change_3 numeric; _change_4 timestamp with time zone; _change_5 integer;
BEGIN

/* counters.Post.comment_count=8aeff409d23aae512d6f7f204c5f155c; counters.Post.karma=91af58984c6748100ea4f3018e3ed08c; counters.Post.spent=4ce320a996a0043023a970725c47d402; counters.Post.last_comment_at=dfc671f947afbc7c641b5381454cc120; counters.Post.fewest_votes=afc45919803995a04a95681b964e2431; */
IF current_setting('leaderboard.ignore', true) = 'on' THEN
    INSERT INTO "counters_post_comments_journal" (key, reason) SELECT DISTINCT dirty.key, -1 FROM (SELECT "post_id" FROM new_rows WHERE "post_id" IS NOT NULL) dirty (key) WHERE dirty.key IS NOT NULL;
    RETURN NULL;
END IF;
IF EXISTS (SELECT FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r WHERE r._3 IN ('NaN', 'Infinity', '-Infinity')) THEN
    RAISE EXCEPTION 'NaN or Infinity in what a counter of post_comments sums'
    USING ERRCODE = 'numeric_value_out_of_range',
    HINT = 'No sum loses it again. Write it within leaderboard.ignore(), and repair when it is gone.';
END IF;
FOR _change_k, _change_1, _change_2, _change_3, _change_4, _change_5 IN
    SELECT r._k, r._1::bigint, r._2::bigint, r._3::numeric, r._4::timestamp with time zone, r._5::integer FROM (SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL) r
LOOP
    _change_more := _change_more IS NOT NULL;
    EXIT WHEN _change_more;
END LOOP;
IF NOT _change_more THEN
    IF _change_2 <> 0 THEN
        INSERT INTO "counters_post_comments_journal" (key, due, "karma") VALUES (_change_k, hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, _change_2);
    END IF;
    UPDATE "counters_post" SET "comment_count" = "comment_count" + _change_1, "spent" = "spent" + _change_3, "last_comment_at" = GREATEST("last_comment_at", _change_4), "fewest_votes" = LEAST("fewest_votes", _change_5)
    WHERE "id" = _change_k;
    IF NOT FOUND THEN
        INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "spent") VALUES (_change_k, 1, true, _change_1, _change_3);
    END IF;
    RETURN NULL;
ELSIF _change_more IS NULL THEN
    RETURN NULL;
END IF;
WITH delta AS MATERIALIZED (
    SELECT _k, SUM(_1)::bigint AS _1, SUM(_2)::bigint AS _2, SUM(_3)::numeric AS _3, MAX(_4) AS _4, MIN(_5) AS _5 FROM (
        SELECT "post_id" AS _k, CASE WHEN ("is_public") THEN 1 ELSE 0 END AS _1, COALESCE("votes", 0) AS _2, COALESCE(("price" * 2), 0) AS _3, "written_at" AS _4, CASE WHEN (NOT ("author_id" IS NULL)) THEN "votes" END AS _5 FROM new_rows WHERE "post_id" IS NOT NULL
    ) signed GROUP BY _k
), held AS MATERIALIZED (
    SELECT p."id" AS _k FROM "counters_post" p
    WHERE p."id" IN (SELECT delta._k FROM delta)
    ORDER BY p."id" FOR NO KEY UPDATE
), added AS (
    UPDATE "counters_post" p SET "comment_count" = p."comment_count" + delta._1, "spent" = p."spent" + delta._3, "last_comment_at" = GREATEST(p."last_comment_at", delta._4), "fewest_votes" = LEAST(p."fewest_votes", delta._5)
    FROM delta JOIN held ON held._k = delta._k WHERE p."id" = delta._k
    RETURNING delta._k
)
INSERT INTO "counters_post_comments_journal" (key, reason, due, "comment_count", "karma", "spent")
SELECT delta._k, CASE WHEN added._k IS NULL THEN 1 ELSE 0 END, added._k IS NULL OR hashfloat8(date_part('microseconds', clock_timestamp())) & 127 = 0, CASE WHEN added._k IS NULL THEN delta._1 ELSE 0 END, delta._2, CASE WHEN added._k IS NULL THEN delta._3 ELSE 0 END
FROM delta LEFT JOIN added ON added._k = delta._k WHERE added._k IS NULL OR delta._2 <> 0 ORDER BY delta._k;
RETURN NULL;
END;
$body$;

            DO $path$ BEGIN
                EXECUTE 'ALTER FUNCTION pgtrigger_counter_insert_post_comments_02c1e() SET search_path = ' || (
                    SELECT string_agg(quote_ident(name), ', ') FROM unnest(current_schemas(false)) name
                ) || ', pg_temp';
            END $path$;
            ALTER FUNCTION pgtrigger_counter_insert_post_comments_02c1e() SET row_security = off;
            REVOKE ALL ON FUNCTION pgtrigger_counter_insert_post_comments_02c1e() FROM PUBLIC;
            COMMENT ON FUNCTION pgtrigger_counter_insert_post_comments_02c1e() IS 'django-pgleaderboard';

            DROP TRIGGER IF EXISTS pgtrigger_counter_insert_post_comments_02c1e ON "counters_comment";
            CREATE  TRIGGER pgtrigger_counter_insert_post_comments_02c1e
                AFTER INSERT ON "counters_comment"
                
                REFERENCING NEW TABLE AS new_rows 
                FOR EACH STATEMENT 
                EXECUTE FUNCTION pgtrigger_counter_insert_post_comments_02c1e();

            COMMENT ON TRIGGER pgtrigger_counter_insert_post_comments_02c1e ON "counters_comment" IS 'a4fc844f9867fb49402262cc2e934c9be07987dd';

            DO $state$ BEGIN
                IF to_regclass('leaderboard_counterstate') IS NOT NULL THEN
                    UPDATE leaderboard_counterstate s
                    SET stopped = replace(s.stopped, pg_current_xact_id()::text || ':pgtrigger_counter_insert_post_comments_02c1e;', '')
                    FROM pg_proc f WHERE f.oid = 'pgtrigger_counter_insert_post_comments_02c1e'::regproc AND position(';pgtrigger_counter_insert_post_comments_02c1e;' IN s.kept_by) > 0
                    AND (position(' ' || s.name || '=' IN f.prosrc) = 0
                        OR position(' ' || s.name || '=' || s.fingerprint || ';' IN f.prosrc) > 0);
                END IF;
            END $state$;
        
            DO $parts$ DECLARE part regclass; BEGIN
                FOR part IN
                    SELECT t.relid FROM pg_partition_tree('"counters_comment"') t JOIN pg_class c ON c.oid = t.relid
                    WHERE t.level > 0 AND c.relkind IN ('r', 'p')
                LOOP
                    EXECUTE format('DROP TRIGGER IF EXISTS leaderboard_counter_insert_post_comments_02c1e ON %s', part);
                    EXECUTE format(
                        'CREATE TRIGGER leaderboard_counter_insert_post_comments_02c1e AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows  '
                        'FOR EACH STATEMENT WHEN (pg_partition_root(%L::regclass) = %L::regclass) '
                        'EXECUTE FUNCTION pgtrigger_counter_insert_post_comments_02c1e()', part, part, '"counters_comment"'
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
        
