-- Funnel over time. Grain: one row per local period of the range.
-- Inputs: the attempts, calendar.
-- Meaning: people with an attempt that starts in the period, and those of them who get far enough with one of them.
--   A period is complete when the window of its last instant is over.
SELECT
  calendar.period_start,
  COUNT(tries.level) FILTER (WHERE tries.level >= $entered) AS entered,
  COUNT(tries.level) FILTER (WHERE tries.level >= $converted) AS converted,
  calendar.ends_us + $within_us <= $observed_us AS complete
FROM calendar
LEFT JOIN (
  SELECT
    calendar.period,
    $key,
    MAX(tried.level) AS level
  FROM $attempts AS tried
  INNER JOIN calendar ON tried.t1 >= calendar.starts_us AND tried.t1 < calendar.ends_us
  WHERE NOT tried.spoilt
  GROUP BY
    calendar.period,
    $key
) AS tries ON tries.period = calendar.period
GROUP BY calendar.period_start, calendar.ends_us
ORDER BY calendar.period_start
