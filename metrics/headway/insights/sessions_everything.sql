-- Grain: one row.
-- Inputs: none.
-- Meaning: all time as one period, for totals.
SELECT
  CAST(NULL AS DATE) AS period_start,
  $first_us AS starts_us,
  $after_us AS ends_us
