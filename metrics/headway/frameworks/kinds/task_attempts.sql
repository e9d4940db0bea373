-- Attempts at a task, by how they ended.
--
-- grain:  one row per attempt.
-- inputs: ev(person, us, line, tie, day, key, is_start, is_success, is_failure): key says which task.
-- params: timeout: an attempt ends with the next success, failure or attempt of its key before start + timeout, in
--         microseconds; else it was abandoned.
-- An attempt followed by another one of its key before any outcome was abandoned.
WITH steps AS (
  SELECT
    *,
    lead(us) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_us,
    lead(is_success) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_success,
    lead(is_failure) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_failure
  FROM ev
  WHERE key IS NOT NULL
)
SELECT
  person, us, line, tie, day,
  CASE
    WHEN next_us IS NULL OR next_us >= us + $timeout THEN 'abandoned'
    WHEN next_success THEN 'success'
    WHEN next_failure THEN 'failure'
    ELSE 'abandoned'
  END AS outcome
FROM steps
WHERE is_start
