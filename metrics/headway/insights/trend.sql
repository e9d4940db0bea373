-- Trend. Grain: one row per breakdown value and local period.
-- Inputs: shown.
-- Meaning: the measure of the period's events; periods without any are there as well.
SELECT
  $columns
FROM shown
ORDER BY touch, place
