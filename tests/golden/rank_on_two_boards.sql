SELECT testapp_attempt.id,
       testapp_attempt.rank AS rank,
       testapp_attempt.all_rank AS all_rank
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
               CASE WHEN standing._complete1 THEN RANK() OVER (PARTITION BY standing.test_id, standing._complete1 ORDER BY standing.score DESC, standing._term0 ASC)
                    ELSE NULL
                     END AS rank,
               CASE WHEN standing._complete2 THEN RANK() OVER (PARTITION BY standing._complete2 ORDER BY standing.score DESC)
                    ELSE NULL
                     END AS all_rank
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
                       (CASE WHEN NOT entry.disqualified THEN (entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL) ELSE NULL END)::boolean AS _complete1,
                       entry.score IS NOT NULL AS _complete2
                  FROM testapp_attempt entry
               ) standing
       ) testapp_attempt
 WHERE testapp_attempt.test_id = 1
