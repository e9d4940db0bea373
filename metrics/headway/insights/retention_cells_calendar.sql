-- Grain: one row per cohort and period up to the end of the range.
-- Inputs: calendar.
-- Meaning: ends_us is the instant the cell is over.
SELECT
  cohort.period AS cohort,
  cohort.period_start AS cohort_start,
  columns.period,
  later.ends_us
FROM calendar AS cohort
CROSS JOIN (SELECT unnest(range(0, $periods + 1)) AS period) AS columns
INNER JOIN calendar AS later ON later.period = cohort.period + columns.period
