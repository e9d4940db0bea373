-- Grain: one row.
-- Inputs: none.
-- Meaning: the whole range as one period, over where ends_us is.
SELECT
  0 AS period,
  CAST(NULL AS DATE) AS period_start,
  $last_day AS last_day,
  $ends_us AS ends_us
