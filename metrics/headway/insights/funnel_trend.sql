-- Funnel over time. Grain: one row per local period of the range.
-- Inputs: attempts, calendar.
-- Meaning: people with an attempt that starts in the period, and those of them who get far enough with one of them.
--   A period is complete when the window of its last instant is over.
SELECT
  calendar.period_start,
  count(tries.person) FILTER (WHERE tries.level >= $entered) AS entered,
  count(tries.person) FILTER (WHERE tries.level >= $converted) AS converted,
  calendar.ends_us + $within_us <= $observed_us AS complete
FROM calendar
LEFT JOIN (
  SELECT calendar.period, attempts.person, max(attempts.level) AS level
  FROM attempts
  INNER JOIN calendar ON attempts.t1 >= calendar.starts_us AND attempts.t1 < calendar.ends_us
  GROUP BY calendar.period, attempts.person
) AS tries ON tries.period = calendar.period
GROUP BY calendar.period_start, calendar.ends_us
ORDER BY calendar.period_start
