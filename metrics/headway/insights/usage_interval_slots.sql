-- Grain: one row per number of days, and one for everything longer.
-- Inputs: none.
-- Meaning: the rows of the answer.
SELECT number
FROM $rows
