-- Grain: one row per breakdown value.
-- Inputs: matched.
-- Meaning: the values that occur.
SELECT touch
FROM matched
GROUP BY touch
