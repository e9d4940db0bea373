-- Grain: one row per unit that did anything an outcome reads.
-- Inputs: marked, the events that expose or count; units, one row per unit.
-- Meaning: y0, x0 are what a unit adds to outcome 0 in its window, c0 and d0 what it added before its exposure, and
--   b0 whether it had done it before: all outcomes in one pass.
SELECT
  marked.person AS person,
  $columns
FROM marked
INNER JOIN units ON units.person = marked.person
GROUP BY marked.person
