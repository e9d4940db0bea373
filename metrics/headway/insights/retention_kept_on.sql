-- Grain: one row per cohort, person and column in which the person counts.
-- Inputs: returned.
-- Meaning: returned in exactly that column.
SELECT touch, cohort, person, number
FROM returned
WHERE number <= $last
