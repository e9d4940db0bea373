-- Grain: one row per cohort and column that begins before the range ends.
-- Inputs: calendar, spans.
-- Meaning: a cell is complete when its last window is over for everyone who can be in the cohort: also for those who
--   start last in it, in the instant, hour or day that windows are counted from.
SELECT
  cohort.period AS cohort,
  cohort.period_start AS cohort_start,
  spans.number,
  spans.opens,
  spans.closes,
  CASE
    WHEN spans.number = 0 AND cohort.ends_us <= $observed_us THEN TRUE
    WHEN spans.number > 0 AND $last + (spans.closes + 1) * $width <= $now THEN TRUE
    ELSE FALSE
  END AS complete
FROM calendar AS cohort
CROSS JOIN spans
CROSS JOIN (SELECT max(last_day) AS last_day FROM calendar) AS final
WHERE cohort.first_day + spans.opens * $width_days <= final.last_day
