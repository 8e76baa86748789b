SELECT COUNT(*) AS __count
  FROM testapp_attempt
 WHERE testapp_attempt.test_id = 1
