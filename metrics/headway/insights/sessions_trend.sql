-- Sessions over time. Grain: one row per period, those without sessions included.
-- Inputs: judged, calendar.
-- Meaning: a session belongs to the period of its start; one with a single event is a bounce.
WITH counted AS (
  SELECT
    calendar.period_start,
    calendar.ends_us,
    judged.person,
    judged.events,
    judged.length_us / 1e6 AS seconds
  FROM calendar
  LEFT JOIN (SELECT * FROM judged WHERE $kept AND $inside) AS judged
    ON judged.started_us >= calendar.starts_us AND judged.started_us < calendar.ends_us
)
SELECT
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
GROUP BY period_start, ends_us
ORDER BY period_start
