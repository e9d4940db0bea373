-- Grain: one row per column.
-- Inputs: none.
-- Meaning: the first and the last period of each column, counted from the cohort's.
SELECT number, opens, closes
FROM $rows
