-- An amount, a number of events or of active days per person who did one thing in the period.
--
-- grain:  one row per channel (null: all channels) and period in which somebody did `of`.
-- inputs: ev(person, channel, day, week, is_of, amount): amount = what the event adds to its person's total,
--         null for events that add nothing.
-- params: once_a_day: whether a day counts once however many events it has.
-- n = people who did `of`, those without an amount included with zero; total and total_of_squares of their
-- amounts. Sums run in order of size, so that equal rows give equal bits whatever order they are read in.
WITH days AS (
  SELECT
    person,
    channel,
    day,
    week,
    max(CASE WHEN is_of THEN 1 ELSE 0 END) AS of_it,
    coalesce(sum(amount ORDER BY amount), 0) AS added,
    max(CASE WHEN amount IS NULL THEN 0 ELSE 1 END) AS active
  FROM ev
  GROUP BY person, channel, day, week
),
periods AS (
  SELECT
    days.person AS person,
    days.channel AS channel,
    kinds.period AS period,
    CASE WHEN kinds.period = 'day' THEN days.day ELSE days.week END AS start_day,
    max(days.of_it) AS of_it,
    sum(
      CASE WHEN $once_a_day THEN days.active ELSE days.added END
      ORDER BY CASE WHEN $once_a_day THEN days.active ELSE days.added END
    ) AS x
  FROM days
  CROSS JOIN (VALUES ('day'), ('week')) AS kinds(period)
  GROUP BY
    days.person,
    days.channel,
    kinds.period,
    CASE WHEN kinds.period = 'day' THEN days.day ELSE days.week END
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(x ORDER BY x) AS DOUBLE) AS total,
  CAST(sum(x * x ORDER BY x * x) AS DOUBLE) AS total_of_squares
FROM periods
WHERE of_it = 1
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
