-- Grain: one row per person who got to the last step.
-- Inputs: reported.
-- Meaning: the seconds from the first to the last step of the reported attempt.
SELECT touch, person, ($last - t1) / 1e6 AS seconds
FROM reported
WHERE level = $steps
ORDER BY touch, person
