-- Sessions of each person, and those in which nothing failed.
--
-- grain:  one row per person and period in which a session of the person began.
-- inputs: ev(person, us, day, is_failure): events that make up sessions, failures among them.
--         periods(grain, day, start_day): the periods of each local day.
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
SELECT
  sessions.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(sessions.us) AS at_us,
  sum(1 - sessions.failed) AS y,
  count(*) AS x
FROM sessions
INNER JOIN periods ON periods.day = sessions.day
GROUP BY sessions.person, periods.grain, periods.start_day
