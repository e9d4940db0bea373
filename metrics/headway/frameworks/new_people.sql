-- People whose first event ever falls in the period.
--
-- grain:  one row per channel (null: all channels) and period with at least one such person.
-- inputs: first_seen(person, channel, local_us): one row per person, the local time of the first event ever in
--         microseconds since 1970.
-- params: week_offset: days from the start of its week to 1970-01-01.
-- Each person contributes 1, so n, total and total_of_squares are all the number of people.
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(count(*) AS DOUBLE) AS total,
  CAST(count(*) AS DOUBLE) AS total_of_squares,
  CAST(count(*) AS BIGINT) AS contributors
FROM (
  SELECT
    days.channel AS channel,
    kinds.period AS period,
    CASE
      WHEN kinds.period = 'day' THEN days.day
      ELSE days.day - (days.day + 700000 + $week_offset) % 7
    END AS start_day
  FROM (
    -- 700000 days (whole weeks) keep the divisions, which cut towards zero, away from negative numbers.
    SELECT channel, (local_us + 700000 * 86400000000) // 86400000000 - 700000 AS day
    FROM first_seen
  ) AS days
  CROSS JOIN (VALUES ('day'), ('week')) AS kinds(period)
) AS x
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
