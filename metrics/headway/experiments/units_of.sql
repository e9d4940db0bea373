-- Grain: one row per unit whose window of the outcome is over.
-- Inputs: per_unit, one row per unit.
-- Meaning: what each unit adds, for tests that split the same units again and again.
SELECT $columns
FROM per_unit
WHERE NOT is_several AND $over
ORDER BY person
