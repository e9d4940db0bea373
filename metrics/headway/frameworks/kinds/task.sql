-- Attempts at a task, by how they ended.
--
-- grain:  one row per person and period in which the person attempted it.
-- inputs: ev(person, us, line, tie, day, key, is_start, is_success, is_failure): key says which task.
--         periods(grain, day, start_day): the periods of each local day.
-- params: timeout: an attempt ends with the next success, failure or attempt of its key before start + timeout, in
--         microseconds; else it was abandoned. outcome: which outcome counts: success, failure or abandoned.
--         first_only: whether only the first attempt of a person in the period counts.
-- y = attempts with the outcome, x = attempts. An attempt followed by another one of its key before any outcome was
-- abandoned.
WITH steps AS (
  SELECT
    *,
    lead(us) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_us,
    lead(is_success) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_success,
    lead(is_failure) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_failure
  FROM ev
  WHERE key IS NOT NULL
),
attempts AS (
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
),
placed AS (
  SELECT
    attempts.person AS person,
    periods.grain AS grain,
    periods.start_day AS start_day,
    attempts.us AS us,
    CASE WHEN attempts.outcome = $outcome THEN 1 ELSE 0 END AS counted,
    row_number() OVER (
      PARTITION BY attempts.person, periods.grain, periods.start_day
      ORDER BY attempts.us, attempts.line, attempts.tie
    ) AS place
  FROM attempts
  INNER JOIN periods ON periods.day = attempts.day
)
SELECT person, grain, start_day, min(us) AS at_us, sum(counted) AS y, count(*) AS x
FROM placed
WHERE NOT $first_only OR place = 1
GROUP BY person, grain, start_day
