-- Promoters minus detractors among the last answers of the period.
--
-- grain:  one row per channel (null: all channels) and period in which somebody answered.
-- inputs: ev(person, channel, us, line, tie, day, week, score): answers with a score from 0 to 10; line, tie
--         and, where even those are equal, the score itself order answers of one instant.
-- n = people who answered; each contributes 1 (last score 9 or 10), -1 (0 to 6) or 0.
WITH answers AS (
  SELECT
    ev.channel AS channel,
    kinds.period AS period,
    CASE WHEN kinds.period = 'day' THEN ev.day ELSE ev.week END AS start_day,
    ev.score AS score,
    row_number() OVER (
      PARTITION BY ev.person, kinds.period, CASE WHEN kinds.period = 'day' THEN ev.day ELSE ev.week END
      ORDER BY ev.us DESC, ev.line DESC, ev.tie DESC, ev.score DESC
    ) AS from_last
  FROM ev
  CROSS JOIN (VALUES ('day'), ('week')) AS kinds(period)
),
x AS (
  SELECT
    channel,
    period,
    start_day,
    CASE WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1 ELSE 0 END AS x
  FROM answers
  WHERE from_last = 1
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(x) AS DOUBLE) AS total,
  CAST(sum(x * x) AS DOUBLE) AS total_of_squares,
  CAST(count(*) FILTER (WHERE x <> 0) AS BIGINT) AS contributors
FROM x
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
