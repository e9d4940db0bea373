-- Grain: one row per unit that is compared.
-- Inputs: per_unit or capped, one row per unit; cells.
-- Meaning: which variant a unit met, and what it adds to the first metric that the decision rests on, null where its
--   window is open: to set beside another experiment that the same units are in.
SELECT known.person AS person, cells.variant AS variant, $value AS y
FROM $amounts AS known
INNER JOIN cells ON cells.cell = known.cell
WHERE NOT cells.is_several
ORDER BY known.person
