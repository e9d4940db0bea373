-- Grain: one row per variant, segment, phase, and whether units saw several variants.
-- Inputs: units, one row per unit with a valid exposure.
-- Meaning: every unit is in one cell; sums over cells add up to those over variants, segments and phases.
SELECT
  variant,
  segment,
  phase,
  is_several,
  row_number() OVER (ORDER BY variant, segment, phase, is_several) AS cell
FROM units
GROUP BY variant, segment, phase, is_several
