-- Grain: one row per unit with a valid exposure.
-- Inputs: units; added, what they did.
-- Meaning: units that did nothing count with zeros. m0 says whether the window of outcome 0 is over for the unit.
SELECT
  units.person AS person,
  units.variant AS variant,
  units.segment AS segment,
  units.phase AS phase,
  units.is_several AS is_several,
  $columns
FROM units
LEFT JOIN added ON added.person = units.person
