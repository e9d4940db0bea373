-- The number of events or of active days per person who did one thing in the period.
--
-- grain:  one row per channel (null: all channels) and period in which somebody did `of`.
-- inputs: ev(person, channel, day, week, is_of, is_counted): events that are `of`, are counted, or both.
-- params: once_a_day: whether a day counts once however many events it has.
-- n = people who did `of`, those without a counted event included with zero; each contributes their number.
WITH days AS (
  SELECT
    person,
    day,
    min(week) AS week,
    min(channel) AS channel,
    max(CASE WHEN is_of THEN 1 ELSE 0 END) AS of_it,
    CASE
      WHEN $once_a_day THEN max(CASE WHEN is_counted THEN 1 ELSE 0 END)
      ELSE sum(CASE WHEN is_counted THEN 1 ELSE 0 END)
    END AS x
  FROM ev
  GROUP BY person, day
),
periods AS (
  SELECT channel, 'day' AS period, day AS start_day, of_it, x
  FROM days
  UNION ALL
  SELECT min(channel) AS channel, 'week' AS period, week AS start_day, max(of_it) AS of_it, sum(x) AS x
  FROM days
  GROUP BY person, week
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(x) AS DOUBLE) AS total,
  CAST(sum(x * x) AS DOUBLE) AS total_of_squares,
  CAST(count(*) FILTER (WHERE x <> 0) AS BIGINT) AS contributors
FROM periods
WHERE of_it = 1
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
