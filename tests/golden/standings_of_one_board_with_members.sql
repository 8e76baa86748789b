SELECT testapp_attempt.id,
       testapp_attempt.rank AS rank,
       testapp_attempt.board_size AS board_size,
       testapp_attempt.percentile AS percentile,
       testapp_attempt.qualification AS qualification,
       (testapp_attempt.finished_at - testapp_attempt.started_at) AS time_taken
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
               CASE WHEN (standing._complete1 AND standing._counts0) THEN RANK() OVER (PARTITION BY (standing._complete1 AND standing._counts0) ORDER BY standing.score DESC, standing._term0 ASC)
                    ELSE NULL
                     END AS rank,
               COUNT(1) FILTER (WHERE (standing._complete1 AND standing._counts0)) OVER () AS board_size,
               CASE WHEN (standing._complete1 AND standing._counts0) THEN (((100 * ((COUNT(1) FILTER (WHERE (standing._complete1 AND standing._counts0)) OVER () - RANK() OVER (PARTITION BY (standing._complete1 AND standing._counts0) ORDER BY standing.score DESC, standing._term0 ASC)) + 1)))::double precision / (NULLIF(COUNT(1) FILTER (WHERE (standing._complete1 AND standing._counts0)) OVER (), 0))::double precision)
                    ELSE NULL
                     END AS percentile,
               CASE WHEN standing._complete1 IS NULL THEN excluded
                    WHEN (NOT standing._complete1)   THEN pending
                    WHEN (NOT standing._counts0)     THEN superseded
                    WHEN standing._cut_off2          THEN qualified
                    WHEN (NOT standing._cut_off2)    THEN not_qualified
                    ELSE no_cut_off
                     END AS qualification
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
                       counting._term0 AS _term0,
                       counting._complete1 AS _complete1,
                       counting._cut_off2 AS _cut_off2,
                       (ROW_NUMBER() OVER (PARTITION BY counting.candidate_id, counting._complete1 ORDER BY counting.score DESC, counting._term0 ASC, counting.id ASC) = 1) AS _counts0
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
                               entry.disqualified,
                               (entry.finished_at - entry.started_at) AS _term0,
                               (CASE WHEN (NOT entry.disqualified AND entry.candidate_id IS NOT NULL) THEN (entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL) ELSE NULL END)::boolean AS _complete1,
                               (entry.score >= entry1.cut_off) AS _cut_off2
                          FROM testapp_attempt entry
                         INNER JOIN testapp_test entry1
                            ON (entry.test_id = entry1.id)
                         WHERE entry.test_id = 1
                       ) counting
               ) standing
       ) testapp_attempt
