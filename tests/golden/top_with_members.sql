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
               True AS _ranked,
               standing.score AS _term_0,
               standing._term0 AS _term_1,
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
                 WHERE (entry.test_id = 1 AND NOT entry.disqualified AND entry.candidate_id IS NOT NULL AND entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL AND CASE WHEN entry.id = (SELECT rival.id FROM testapp_attempt rival WHERE (rival.test_id = 1 AND NOT rival.disqualified AND rival.candidate_id IS NOT NULL AND rival.score IS NOT NULL AND (rival.finished_at - rival.started_at) IS NOT NULL AND rival.candidate_id = (entry.candidate_id)) ORDER BY rival.score DESC, (rival.finished_at - rival.started_at) ASC, rival.id ASC LIMIT 1) THEN True ELSE False END)
               ) standing
       ) testapp_attempt
 ORDER BY testapp_attempt._term_0 DESC,
          testapp_attempt._term_1 ASC,
          testapp_attempt.id ASC
 LIMIT 10
