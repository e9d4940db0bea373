-- A sum of a property per person who did one thing in the period.
--
-- grain:  one row per channel (null: all channels) and period in which somebody did `of`.
-- inputs: ev(person, channel, day, week, is_of, amount): events that are `of`, add an amount, or both; amount is
--         null for events that add nothing.
-- n = people who did `of`, those without an amount included with zero; total and total_of_squares of their sums.
-- Sums of fractions run in order of size, so that equal rows give equal bits whatever order they are read in;
-- zeros are left out of them, which changes nothing.
WITH days AS (
  SELECT
    person,
    day,
    min(week) AS week,
    min(channel) AS channel,
    max(CASE WHEN is_of THEN 1 ELSE 0 END) AS of_it,
    coalesce(sum(amount ORDER BY amount) FILTER (WHERE amount <> 0), 0) AS x
  FROM ev
  GROUP BY person, day
),
periods AS (
  SELECT channel, 'day' AS period, day AS start_day, of_it, x
  FROM days
  UNION ALL
  SELECT
    min(channel) AS channel,
    'week' AS period,
    week AS start_day,
    max(of_it) AS of_it,
    coalesce(sum(x ORDER BY x) FILTER (WHERE x <> 0), 0) AS x
  FROM days
  GROUP BY person, week
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(coalesce(sum(x ORDER BY x) FILTER (WHERE x <> 0), 0) AS DOUBLE) AS total,
  CAST(coalesce(sum(x * x ORDER BY x * x) FILTER (WHERE x <> 0), 0) AS DOUBLE) AS total_of_squares,
  CAST(count(*) FILTER (WHERE x <> 0) AS BIGINT) AS contributors
FROM periods
WHERE of_it = 1
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
