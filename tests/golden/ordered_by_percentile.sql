SELECT testapp_attempt.id,
       testapp_attempt.percentile AS percentile
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
               CASE WHEN standing._complete1 THEN (((100 * ((COUNT(1) FILTER (WHERE standing._complete1) OVER () - RANK() OVER (PARTITION BY standing._complete1 ORDER BY standing.score DESC, standing._term0 ASC)) + 1)))::double precision / (NULLIF(COUNT(1) FILTER (WHERE standing._complete1) OVER (), 0))::double precision)
                    ELSE NULL
                     END AS percentile
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
                       (CASE WHEN NOT entry.disqualified THEN (entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL) ELSE NULL END)::boolean AS _complete1
                  FROM testapp_attempt entry
                 WHERE entry.test_id = 1
               ) standing
       ) testapp_attempt
 ORDER BY 2 DESC NULLS LAST,
          testapp_attempt.id ASC
