-- Grain: one row per cohort and window that starts before the range ends.
-- Inputs: calendar.
-- Meaning: ends_us is the instant the window is over for everyone who can be in the cohort.
SELECT
  cohort.period AS cohort,
  cohort.period_start AS cohort_start,
  columns.period,
  cohort.ends_us + CASE WHEN columns.period = 0 THEN 0 ELSE (columns.period + 1) * $width_us END AS ends_us
FROM calendar AS cohort
CROSS JOIN (SELECT unnest(range(0, $periods + 1)) AS period) AS columns
CROSS JOIN (SELECT max(last_day) AS last_day FROM calendar) AS final
WHERE cohort.first_day + columns.period * $width_days <= final.last_day
