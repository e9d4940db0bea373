-- A sum of a property per person who did one thing in the period.
--
-- grain:  one row per person and period in which the person did `of`.
-- inputs: ev(person, us, day, is_of, amount): events that are `of`, add an amount, or both; amount is null for
--         events that add nothing.
--         periods(grain, day, start_day): the periods of each local day.
-- y = the person's sum; people without an amount are included with zero.
-- Sums of fractions run in order of size, so that equal rows give equal bits whatever order they are read in;
-- zeros are left out of them, which changes nothing.
WITH days AS (
  SELECT
    person,
    day,
    min(CASE WHEN is_of THEN us END) AS at_us,
    coalesce(sum(amount ORDER BY amount) FILTER (WHERE amount <> 0), 0) AS amount
  FROM ev
  GROUP BY person, day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  coalesce(sum(days.amount ORDER BY days.amount) FILTER (WHERE days.amount <> 0), 0) AS y,
  1 AS x
FROM days
INNER JOIN periods ON periods.day = days.day
GROUP BY days.person, periods.grain, periods.start_day
HAVING min(days.at_us) IS NOT NULL
