-- Grain: one row per unit whose window of the outcome is over.
-- Inputs: per_unit or capped, one row per unit; cells.
-- Meaning: what each unit adds, for tests that split the same units again and again.
SELECT $columns
FROM $amounts AS known
INNER JOIN cells ON cells.cell = known.cell
WHERE NOT cells.is_several AND known.y0 IS NOT NULL
ORDER BY known.person
