SELECT testapp_attempt.id AS id
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
               true AS _ranked
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
                       entry.disqualified
                  FROM testapp_attempt entry
                 WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)
               ) standing
       ) testapp_attempt
 WHERE testapp_attempt.id = 1
 LIMIT 1;SELECT testapp_attempt.id,
       testapp_attempt.test_id,
       testapp_attempt.candidate_id,
       testapp_attempt.score,
       testapp_attempt.big,
       testapp_attempt.ratio,
       testapp_attempt.label,
       testapp_attempt.started_at,
       testapp_attempt.finished_at,
       testapp_attempt.disqualified,
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
               true AS _ranked,
               standing.score AS _term_0,
               RANK() OVER (ORDER BY standing.score DESC) AS rank
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
                       entry.disqualified
                  FROM testapp_attempt entry
                 WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)
               ) standing
       ) testapp_attempt
 WHERE (EXISTS(SELECT 1 AS a FROM (SELECT standing.id, standing.test_id, standing.candidate_id, standing.score, standing.big, standing.ratio, standing.label, standing.started_at, standing.finished_at, standing.disqualified, true AS _ranked FROM (SELECT entry.id, entry.test_id, entry.candidate_id, entry.score, entry.big, entry.ratio, entry.label, entry.started_at, entry.finished_at, entry.disqualified FROM testapp_attempt entry WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)) standing) U0 WHERE U0.id = 1 LIMIT 1) AND testapp_attempt.id IN ((SELECT U0.id AS id FROM testapp_attempt U0 WHERE U0.id = 1) UNION ALL (SELECT V0.id AS id FROM (SELECT standing.id, standing.test_id, standing.candidate_id, standing.score, standing.big, standing.ratio, standing.label, standing.started_at, standing.finished_at, standing.disqualified, true AS _ranked, standing.score AS _term_0 FROM (SELECT entry.id, entry.test_id, entry.candidate_id, entry.score, entry.big, entry.ratio, entry.label, entry.started_at, entry.finished_at, entry.disqualified FROM testapp_attempt entry WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)) standing) V0 WHERE ((V0._term_0 >= (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND ((V0._term_0 > (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) OR ((V0._term_0 = (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND (V0.id < 1)))) ORDER BY V0._term_0 ASC, V0.id DESC LIMIT 1) UNION ALL (SELECT V0.id AS id FROM (SELECT standing.id, standing.test_id, standing.candidate_id, standing.score, standing.big, standing.ratio, standing.label, standing.started_at, standing.finished_at, standing.disqualified, true AS _ranked, standing.score AS _term_0 FROM (SELECT entry.id, entry.test_id, entry.candidate_id, entry.score, entry.big, entry.ratio, entry.label, entry.started_at, entry.finished_at, entry.disqualified FROM testapp_attempt entry WHERE (entry.test_id = 1 AND entry.score IS NOT NULL)) standing) V0 WHERE ((V0._term_0 <= (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND ((V0._term_0 < (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) OR ((V0._term_0 = (SELECT U0.score AS term1 FROM testapp_attempt U0 WHERE U0.id = 1)) AND (V0.id > 1)))) ORDER BY V0._term_0 DESC, V0.id ASC LIMIT 1)))
 ORDER BY testapp_attempt._term_0 DESC,
          testapp_attempt.id ASC
