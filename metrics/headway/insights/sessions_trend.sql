-- Sessions over time. Grain: one row per group and period, those without sessions included.
-- Inputs: the sessions, calendar.
-- Meaning: a session belongs to the period of its start; one with a single event is a bounce.
WITH visits AS (
  SELECT * FROM $sessions WHERE $kept AND $inside
),
groups AS (
  SELECT DISTINCT breakdown FROM visits
  UNION
  SELECT '(all)' AS breakdown WHERE NOT $broken_down
),
counted AS (
  SELECT
    groups.breakdown,
    calendar.period_start,
    calendar.ends_us,
    visits.person,
    visits.events,
    visits.length_us / 1e6 AS seconds
  FROM groups
  CROSS JOIN calendar
  LEFT JOIN visits
    ON visits.breakdown = groups.breakdown
    AND visits.started_us >= calendar.starts_us
    AND visits.started_us < calendar.ends_us
)
SELECT
  breakdown,
  period_start,
  COUNT(person) AS sessions,
  COUNT(DISTINCT person) AS people,
  AVG(events) AS events_mean,
  quantile_cont(events, 0.5) AS events_median,
  COUNT(*) FILTER (WHERE events = 1) AS bounces,
  COUNT(*) FILTER (WHERE events = 1) / nullif(COUNT(person), 0) AS bounce_rate,
  AVG(seconds) AS seconds_mean,
  quantile_cont(seconds, 0.5) AS seconds_median,
  quantile_cont(seconds, 0.9) AS seconds_p90,
  ends_us <= $observed_us AS complete
FROM counted
GROUP BY breakdown, period_start, ends_us
ORDER BY breakdown, period_start
