-- Grain: one row per cohort and person in it.
-- Inputs: entered.
-- Meaning: touch is the value of the breakdown.
SELECT
  person,
  $touch AS touch,
  cohort,
  point
FROM entered
