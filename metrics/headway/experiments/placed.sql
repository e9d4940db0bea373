-- Grain: one row per unit with a valid exposure.
-- Inputs: units; cells.
-- Meaning: when a unit's time begins, and the number of its cell: all that the pass over events needs to know of it.
SELECT units.person AS person, units.exposed_us AS exposed_us, cells.cell AS cell
FROM units
INNER JOIN cells
  ON
    cells.variant = units.variant
    AND cells.segment = units.segment
    AND cells.phase = units.phase
    AND cells.is_several = units.is_several
