-- Sessions of each person, and those in which nothing failed.
--
-- grain:  one row per person and period in which a session of the person began.
-- inputs: base: sessions (crash_free_sessions.sql).
--         periods(grain, day, start_day): the periods of each local day.
<<<<<<< HEAD
-- params: idle: longest pause within a session, in microseconds.
-- y = sessions without a failure, x = sessions; a session is of the period in which it began. Events of one instant are in
-- one session: which of them the two windows take for the first does not matter (RANGE).
WITH marked AS (
  SELECT
    person, us, day, is_failure,
    CASE WHEN us - lag(us) OVER (PARTITION BY person ORDER BY us) <= $idle THEN 0 ELSE 1 END AS begins
  FROM ev
),
numbered AS (
  SELECT
    person, us, day, is_failure,
    sum(begins) OVER (PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
  FROM marked
),
sessions AS (
  SELECT
    person,
    min(us) AS us,
    min(day) AS day,
    max(CASE WHEN is_failure THEN 1 ELSE 0 END) AS failed
  FROM numbered
  GROUP BY person, number
)
=======
-- y = sessions without a failure, x = sessions; a session is of the period in which it began.
>>>>>>> main
SELECT
  base.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(base.us) AS at_us,
  sum(1 - base.failed) AS y,
  count(*) AS x
FROM base
INNER JOIN periods ON periods.day = base.day
GROUP BY base.person, periods.grain, periods.start_day
