-- Grain: one row per unit with a valid exposure.
-- Inputs: marked, the events that count; placed, one row per unit.
-- Meaning: what all outcomes need to know of a unit, each fact once, in one pass over the events; units that did nothing
--   are among them.
SELECT
  units.person AS person,
  units.exposed_us AS exposed_us,
  units.cell AS cell,
  $facts
FROM marked
RIGHT JOIN placed AS units ON units.person = marked.person
GROUP BY units.person, units.exposed_us, units.cell
