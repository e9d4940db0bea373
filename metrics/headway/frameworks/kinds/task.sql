-- How many attempts of each person ended in one way.
--
-- grain:  one row per person and period in which the person attempted it.
-- inputs: base: attempts by outcome (task_attempts.sql).
--         periods(grain, day, start_day): the periods of each local day.
-- params: outcome: which outcome counts: success, failure or abandoned.
--         first_only: whether only the first attempt of a person in the period counts.
-- y = attempts with the outcome, x = attempts.
WITH placed AS (
  SELECT
    base.person AS person,
    periods.grain AS grain,
    periods.start_day AS start_day,
    base.us AS us,
    CASE WHEN base.outcome = $outcome THEN 1 ELSE 0 END AS counted,
    row_number() OVER (
      PARTITION BY base.person, periods.grain, periods.start_day
      ORDER BY base.us, base.line, base.tie
    ) AS place
  FROM base
  INNER JOIN periods ON periods.day = base.day
)
SELECT person, grain, start_day, min(us) AS at_us, sum(counted) AS y, count(*) AS x
FROM placed
WHERE NOT $first_only OR place = 1
GROUP BY person, grain, start_day
