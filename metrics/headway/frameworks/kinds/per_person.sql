-- What each person who did one thing in the period did of another: whether, on how many days, or how often.
--
-- grain:  one row per person and period in which the person did `of`.
-- inputs: ev(person, us, day, is_of, is_counted): events that are `of`, are counted, or both.
--         periods(grain, day, start_day): the periods of each local day.
-- params: once_a_day: whether a day counts once however many events it has.
--         once: whether the period does. The order of the two things does not matter.
-- y = the person's number; people without a counted event are included with zero.
WITH days AS (
  SELECT
    person,
    day,
    min(CASE WHEN is_of THEN us END) AS at_us,
    CASE
      WHEN $once_a_day THEN max(CASE WHEN is_counted THEN 1 ELSE 0 END)
      ELSE sum(CASE WHEN is_counted THEN 1 ELSE 0 END)
    END AS counted
  FROM ev
  GROUP BY person, day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  CASE WHEN $once THEN max(days.counted) ELSE sum(days.counted) END AS y,
  1 AS x
FROM days
INNER JOIN periods ON periods.day = days.day
GROUP BY days.person, periods.grain, periods.start_day
HAVING min(days.at_us) IS NOT NULL
