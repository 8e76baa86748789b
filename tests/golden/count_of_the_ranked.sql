SELECT COUNT(*) AS __count
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
       ) testapp_attempt
