-- Grain: one row per person with an attempt.
-- Inputs: reported.
-- Meaning: the furthest step the person got to.
SELECT person, level
FROM reported
ORDER BY person
