SELECT COUNT(*) AS __count
  FROM (
        SELECT entry.candidate_id
          FROM testapp_attempt entry
         WHERE (entry.test_id = 1 AND NOT entry.disqualified AND entry.candidate_id IS NOT NULL AND entry.score IS NOT NULL AND (entry.finished_at - entry.started_at) IS NOT NULL)
         GROUP BY entry.candidate_id
       ) testapp_attempt
