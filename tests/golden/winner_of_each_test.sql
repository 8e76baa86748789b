SELECT testapp_test.id,
       (
        SELECT U0.candidate_id AS candidate
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
                       True AS _ranked,
                       standing.score AS _term_0,
                       standing._term0 AS _term_1
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
                               (entry.finished_at - entry.started_at) AS _term0
                          FROM testapp_attempt entry
                         WHERE (entry.test_id = (testapp_test.id) AND NOT entry.disqualified AND entry.candidate_id IS NOT NULL AND entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL AND CASE WHEN entry.id = (SELECT rival.id FROM testapp_attempt rival WHERE (rival.test_id = (testapp_test.id) AND NOT rival.disqualified AND rival.candidate_id IS NOT NULL AND rival.score IS NOT NULL AND (rival.finished_at - rival.started_at) IS NOT NULL AND rival.candidate_id = (entry.candidate_id)) ORDER BY rival.score DESC, (rival.finished_at - rival.started_at) ASC, rival.id ASC LIMIT 1) THEN True ELSE False END)
                       ) standing
               ) U0
         ORDER BY U0._term_0 DESC,
                  U0._term_1 ASC,
                  U0.id ASC
         LIMIT 1
       ) AS winner
  FROM testapp_test
