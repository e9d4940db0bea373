-- Of the people who did one thing in the period, those who also did another in it.
--
-- grain:  one row per person and period in which the person did the first thing.
-- inputs: ev(person, us, day, is_of, is_did): events that are one thing, the other, or both.
--         periods(grain, day, start_day): the periods of each local day.
-- y = 1 for who did `did` too, else 0. The order does not matter.
WITH days AS (
  SELECT
    person,
    day,
    min(CASE WHEN is_of THEN us END) AS at_us,
    max(CASE WHEN is_did THEN 1 ELSE 0 END) AS did_it
  FROM ev
  GROUP BY person, day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  max(days.did_it) AS y,
  1 AS x
FROM days
INNER JOIN periods ON periods.day = days.day
GROUP BY days.person, periods.grain, periods.start_day
HAVING min(days.at_us) IS NOT NULL
