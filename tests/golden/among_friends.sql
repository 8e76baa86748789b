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
               CASE WHEN standing._complete1 THEN RANK() OVER (PARTITION BY standing._complete1 ORDER BY standing.score DESC, standing._term0 ASC)
                    ELSE NULL
                     END AS rank
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
                       (CASE WHEN (NOT entry.disqualified AND ((entry.id) IN (SELECT U0.id AS id FROM testapp_attempt U0 INNER JOIN testapp_candidate U2 ON (U0.candidate_id = U2.id) WHERE (U0.test_id = 1 AND U2.team = red)))) THEN (entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL) ELSE NULL END)::boolean AS _complete1
                  FROM testapp_attempt entry
                 WHERE entry.test_id = 1
               ) standing
       ) testapp_attempt
 INNER JOIN testapp_candidate
    ON (testapp_attempt.candidate_id = testapp_candidate.id)
 WHERE testapp_candidate.team = red
