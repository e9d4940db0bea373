-- Grain: one row per breakdown value and period.
-- Inputs: cells.
-- Meaning: the same, each value with all those before it.
SELECT
  touch,
  place,
  period_start,
  $running AS value,
  complete
FROM cells
