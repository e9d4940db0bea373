-- Grain: one row per breakdown value and person.
-- Inputs: matched.
-- Meaning: the period in which a person is first seen in the range, so that a running count of them is the number of
--   distinct people so far.
SELECT touch, person, MIN(period) AS period
FROM matched
GROUP BY touch, person
