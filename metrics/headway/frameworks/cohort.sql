-- Of the people whose first start ever falls in the period, those who reach a goal in a window after it.
--
-- grain:  one row per channel (null: all channels) and period in which somebody started.
-- inputs: ev(person, channel, us, day, week, is_start, is_goal): events that are a start, a goal, or both.
-- params: opens, closes: the window is start + opens <= us < start + closes, in microseconds.
-- n = people who started; each contributes 1 if a goal lies in the window, else 0. The goal is another event
-- than the start: where one event is both, it needs a second event at the start's instant or a later goal.
WITH starts AS (
  SELECT person, channel, min(us) AS start_us, arg_min(day, us) AS day, arg_min(week, us) AS week
  FROM ev
  WHERE is_start
  GROUP BY person, channel
),
reached AS (
  SELECT
    starts.person AS person,
    sum(
      CASE WHEN ev.is_goal AND ev.us >= starts.start_us + $opens AND ev.us < starts.start_us + $closes THEN 1
      ELSE 0 END
    ) AS goals,
    sum(CASE WHEN NOT ev.is_goal AND ev.us = starts.start_us THEN 1 ELSE 0 END) AS other_starts
  FROM starts
  INNER JOIN ev ON ev.person = starts.person
  GROUP BY starts.person
),
x AS (
  SELECT
    starts.channel AS channel,
    kinds.period AS period,
    CASE WHEN kinds.period = 'day' THEN starts.day ELSE starts.week END AS start_day,
    CASE WHEN reached.goals >= 1 AND ($opens > 0 OR reached.goals + reached.other_starts >= 2) THEN 1
    ELSE 0 END AS x
  FROM starts
  INNER JOIN reached ON reached.person = starts.person
  CROSS JOIN (VALUES ('day'), ('week')) AS kinds(period)
)
SELECT
  channel,
  period,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(x) AS DOUBLE) AS total,
  CAST(sum(x) AS DOUBLE) AS total_of_squares,
  CAST(count(*) FILTER (WHERE x <> 0) AS BIGINT) AS contributors
FROM x
GROUP BY GROUPING SETS ((period, start_day), (channel, period, start_day))
