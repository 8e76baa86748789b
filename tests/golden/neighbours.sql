SELECT (testapp_attempt.id = (SELECT U0.id AS id FROM testapp_attempt U0 WHERE U0.id = 1)) AS comparison1,
       testapp_attempt.id AS id,
       (testapp_attempt.id)::text AS astext1,
       (testapp_attempt.test_id)::text AS astext2,
       (testapp_attempt.score)::text AS astext3
  FROM (
        SELECT standing.id,
               standing.test_id,
               standing.candidate_id,
               standing.score,
               standing.big,
               standing.ratio,
               standing.label,
               standing.started_at,
               standing.finished_at,
               standing.disqualified,
               true AS _ranked,
               standing.score AS _term_0
          FROM (
                SELECT entry.id,
                       entry.test_id,
                       entry.candidate_id,
                       entry.score,
                       entry.big,
                       entry.ratio,
                       entry.label,
                       entry.started_at,
                       entry.finished_at,
                       entry.disqualified
                  FROM testapp_attempt entry
                 WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)
               ) standing
       ) testapp_attempt
 WHERE ((testapp_attempt._term_0 >= (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND ((testapp_attempt._term_0 > (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) OR ((testapp_attempt._term_0 = (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND (testapp_attempt.id < (SELECT U0.id AS id FROM testapp_attempt U0 WHERE U0.id = 1))) OR ((testapp_attempt._term_0 = (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND (testapp_attempt.id = (SELECT U0.id AS id FROM testapp_attempt U0 WHERE U0.id = 1)))))
 ORDER BY testapp_attempt._term_0 ASC,
          testapp_attempt.id DESC
 LIMIT 2;SELECT testapp_attempt.id,
       testapp_attempt.test_id,
       testapp_attempt.candidate_id,
       testapp_attempt.score,
       testapp_attempt.big,
       testapp_attempt.ratio,
       testapp_attempt.label,
       testapp_attempt.started_at,
       testapp_attempt.finished_at,
       testapp_attempt.disqualified,
       testapp_attempt.rank AS rank
  FROM (
        SELECT standing.id,
               standing.test_id,
               standing.candidate_id,
               standing.score,
               standing.big,
               standing.ratio,
               standing.label,
               standing.started_at,
               standing.finished_at,
               standing.disqualified,
               standing._ranked AS _ranked,
               standing._term_0 AS _term_0,
               standing.rank AS rank,
               standing._position AS _position,
               standing._mark AS _mark,
               standing._mark_ AS _mark_,
               standing._ordinal AS _ordinal,
               standing._has AS _has,
               standing._has_ AS _has_
          FROM (
                SELECT counting.id,
                       counting.test_id,
                       counting.candidate_id,
                       counting.score,
                       counting.big,
                       counting.ratio,
                       counting.label,
                       counting.started_at,
                       counting.finished_at,
                       counting.disqualified,
                       counting._ranked AS _ranked,
                       counting._term_0 AS _term_0,
                       counting.rank AS rank,
                       counting._position AS _position,
                       counting._mark AS _mark,
                       counting._mark_ AS _mark_,
                       counting._ordinal AS _ordinal,
                       BOOL_OR(counting._mark) OVER () AS _has,
                       BOOL_OR((counting._mark_ AND counting._position = 1)) OVER () AS _has_
                  FROM (
                        SELECT standing.id,
                               standing.test_id,
                               standing.candidate_id,
                               standing.score,
                               standing.big,
                               standing.ratio,
                               standing.label,
                               standing.started_at,
                               standing.finished_at,
                               standing.disqualified,
                               true AS _ranked,
                               standing.score AS _term_0,
                               CASE WHEN (standing.score = '1'::integer) THEN standing._competition
                                    ELSE (((standing._competition + standing._tied) - 1) + RANK() OVER (ORDER BY standing.score DESC))
                                     END AS rank,
                               ROW_NUMBER() OVER (ORDER BY standing.score DESC, standing.id ASC) AS _position,
                               ((standing.id = '1'::bigint) AND (standing.score IS NOT DISTINCT FROM '1'::integer)) AS _mark,
                               (standing.id = '1'::bigint) AS _mark_,
                               (standing._competition + standing._tied) AS _ordinal
                          FROM (
                                SELECT counting.id,
                                       counting.test_id,
                                       counting.candidate_id,
                                       counting.score,
                                       counting.big,
                                       counting.ratio,
                                       counting.label,
                                       counting.started_at,
                                       counting.finished_at,
                                       counting.disqualified,
                                       ((SELECT COUNT(*) AS n FROM testapp_attempt rival WHERE ((rival.score > '1'::integer) AND rival.test_id = '1'::bigint AND rival.score IS NOT NULL)) + 1) AS _competition,
                                       (
                                        SELECT COUNT(*) AS n
                                          FROM testapp_attempt rival
                                         WHERE (rival.test_id = '1'::bigint AND rival.score IS NOT NULL AND (rival.score = '1'::integer) AND (rival.id < '1'::bigint))
                                       ) AS _tied
                                  FROM (
                                        SELECT entry.id,
                                               entry.test_id,
                                               entry.candidate_id,
                                               entry.score,
                                               entry.big,
                                               entry.ratio,
                                               entry.label,
                                               entry.started_at,
                                               entry.finished_at,
                                               entry.disqualified
                                          FROM testapp_attempt entry
                                         WHERE (entry.test_id = '1'::bigint AND entry.score IS NOT NULL AND ((entry.score <= '1'::integer) AND ((entry.score < '1'::integer) OR ((entry.score = '1'::integer) AND (entry.id > '1'::bigint)) OR ((entry.score = '1'::integer) AND (entry.id = '1'::bigint)))))
                                         ORDER BY entry.score DESC,
                                                  entry.id ASC
                                         LIMIT 2
                                       ) counting
                                OFFSET 0
                               ) standing
                       ) counting
                 WHERE counting._position <= 2
               ) standing
         WHERE (standing._has = true AND standing._has_ = true AND standing._ordinal = '1'::bigint)
       ) testapp_attempt
 ORDER BY testapp_attempt._term_0 DESC,
          testapp_attempt.id ASC
