-- On how many days each person who did one thing in the period did another.
--
-- grain:  one row per person and period in which the person did `of`.
-- inputs: ev(person, us, day, is_of, is_counted): events of a day, the first of them at us, that are `of`, are counted, or
--         both.
--         periods(grain, day, start_day): the periods of each local day.
-- y = the person's number of days; people without a counted event are included with zero.
WITH days AS (
  SELECT
    person,
    day,
    min(CASE WHEN is_of THEN us END) AS at_us,
    max(CASE WHEN is_counted THEN 1 ELSE 0 END) AS counted
  FROM ev
  GROUP BY person, day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  CAST(sum(days.counted) AS BIGINT) AS y,
  1 AS x
FROM days
INNER JOIN periods ON periods.day = days.day
GROUP BY days.person, periods.grain, periods.start_day
HAVING min(days.at_us) IS NOT NULL
