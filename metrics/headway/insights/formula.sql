-- Formula over trends. Grain: one row per breakdown value and local period.
-- Inputs: parts (one row per trend, breakdown value and period: trend, touch, period_start, value, complete).
-- Meaning: arithmetic over the values that the trends have in one cell, as floating-point numbers. Where a trend has no
--   such cell, its value is the one it has without events. A result that is not finite, as of a division by zero, is
--   null. A cell is complete where all its trends are.
WITH cells AS (
  SELECT
    touch,
    period_start,
    $values,
    bool_and(complete) AS complete
  FROM parts
  GROUP BY touch, period_start
),
computed AS (
  SELECT *, $formula AS result
  FROM cells
),
shown AS (
  SELECT *, CASE WHEN isfinite(result) THEN result END AS value
  FROM computed
)
SELECT
  $columns
FROM shown
ORDER BY touch, period_start
