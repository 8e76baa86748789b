SELECT testapp_attempt.id,
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
               RANK() OVER (ORDER BY standing.score DESC, standing._term0 ASC) AS rank
          FROM (
                SELECT DISTINCT
                    ON (counting.candidate_id) counting.id,
                       counting.test_id,
                       counting.candidate_id,
                       counting.score,
                       counting.big,
                       counting.ratio,
                       counting.label,
                       counting.started_at,
                       counting.finished_at,
                       counting.disqualified,
                       counting._term0 AS _term0
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
                         WHERE (entry.test_id = 1 AND NOT entry.disqualified AND entry.candidate_id IS NOT NULL AND entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL)
                       ) counting
                 ORDER BY counting.candidate_id ASC,
                          counting.score DESC,
                          11 ASC,
                          counting.id ASC
               ) standing
       ) testapp_attempt
