-- Sessions of each person.
--
-- grain:  one row per session.
-- inputs: ev(person, us, moment, day, is_failure): events that make up sessions, failures among them.
-- params: idle: longest pause within a session, in microseconds.
-- Events of one instant are in one session: which of them the two windows take for the first does not matter (RANGE).
-- us, moment (the same, perhaps stamped) and day are those of its first event, last_day that of its last one; failed = 1 if something failed in it.
WITH marked AS (
  SELECT
    person, us, moment, day, is_failure,
    CASE WHEN us - lag(us) OVER (PARTITION BY person ORDER BY us) <= $idle THEN 0 ELSE 1 END AS begins
  FROM ev
),
numbered AS (
  SELECT
    person, us, moment, day, is_failure,
    sum(begins) OVER (PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
  FROM marked
)
SELECT
  person,
  min(us) AS us,
  min(moment) AS moment,
  min(day) AS day,
  max(day) AS last_day,
  max(CASE WHEN is_failure THEN 1 ELSE 0 END) AS failed
FROM numbered
GROUP BY person, number
