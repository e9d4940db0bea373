-- Grain: one row per unit with a valid exposure.
-- Inputs: per_unit, one row per unit; cells.
-- Meaning: amounts are cut at the caps: quantiles of what units that have any add, over all variants.
WITH caps AS (
  SELECT $caps
  FROM per_unit
  INNER JOIN cells ON cells.cell = per_unit.cell
  WHERE NOT cells.is_several
)
SELECT per_unit.person AS person, per_unit.cell AS cell, $columns
FROM per_unit
CROSS JOIN caps
