-- Of the people who did one thing in the period, those who also did another in it.
--
-- grain:  one row per channel (null: all channels) and period in which somebody did the first thing.
-- inputs: ev(person, channel, day, week, is_of, is_did): events that are one thing, the other, or both.
-- n = people who did `of`; each contributes 1 if they did `did` too, else 0. The order does not matter.
WITH days AS (
  SELECT
    person,
    day,
    min(week) AS week,
    min(channel) AS channel,
    max(CASE WHEN is_of THEN 1 ELSE 0 END) AS of_it,
    max(CASE WHEN is_did THEN 1 ELSE 0 END) AS did_it
  FROM ev
  GROUP BY person, day
),
periods AS (
  SELECT channel, 'day' AS period, day AS start_day, of_it, did_it
  FROM days
  UNION ALL
  SELECT min(channel) AS channel, 'week' AS period, week AS start_day, max(of_it) AS of_it, max(did_it) AS did_it
  FROM days
  GROUP BY person, week
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(did_it) AS DOUBLE) AS total,
  CAST(sum(did_it) AS DOUBLE) AS total_of_squares,
  CAST(count(*) FILTER (WHERE did_it <> 0) AS BIGINT) AS contributors
FROM periods
WHERE of_it = 1
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
