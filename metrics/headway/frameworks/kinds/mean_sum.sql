-- A sum of a property per person who did one thing in the period.
--
-- grain:  one row per person and period in which the person did `of`.
-- inputs: done(person, us, day): `of` on a day, the first time at us.
--         ev(person, day, amount): events that add an amount, null where they carry none.
--         periods(grain, day, start_day): the periods of each local day.
-- y = the person's sum; people without an amount are included with zero.
-- Sums of fractions run in order of size, so that equal rows give equal bits whatever order they are read in;
-- zeros are left out of them, which changes nothing.
WITH people AS (
  SELECT done.person AS person, periods.grain AS grain, periods.start_day AS start_day, min(done.us) AS at_us
  FROM done
  INNER JOIN periods ON periods.day = done.day
  GROUP BY done.person, periods.grain, periods.start_day
),
days AS (
  SELECT person, day, sum(amount ORDER BY amount) AS amount
  FROM ev
  WHERE amount <> 0
  GROUP BY person, day
),
sums AS (
  SELECT
    days.person AS person,
    periods.grain AS grain,
    periods.start_day AS start_day,
    sum(days.amount ORDER BY days.amount) FILTER (WHERE days.amount <> 0) AS amount
  FROM days
  INNER JOIN periods ON periods.day = days.day
  GROUP BY days.person, periods.grain, periods.start_day
)
SELECT
  people.person AS person,
  people.grain AS grain,
  people.start_day AS start_day,
  people.at_us AS at_us,
  coalesce(sums.amount, 0) AS y,
  1 AS x
FROM people
LEFT JOIN sums
  ON sums.person = people.person AND sums.grain = people.grain AND sums.start_day = people.start_day
