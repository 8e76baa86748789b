UPDATE testapp_attempt
   SET label = 'first'
 WHERE testapp_attempt.id IN (
        SELECT U0.id AS id
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
                         WHERE (entry.test_id = 1 AND NOT entry.disqualified AND entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL)
                       ) standing
               ) U0
         WHERE U0.rank = 1
       )
