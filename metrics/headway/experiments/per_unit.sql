-- Grain: one row per unit with a valid exposure.
-- Inputs: added, what is known of each unit.
-- Meaning: y0, x0 are what a unit adds to outcome 0 in its window, c0 and d0 what it added before its exposure, and b0
--   whether it had done it before; all are null where the window of the outcome is open: sums pass over null.
SELECT
  units.person AS person,
  units.cell AS cell,
  $columns
FROM added AS units
