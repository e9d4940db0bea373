-- Grain: one row per breakdown value, period and person with events.
-- Inputs: matched.
-- Meaning: how many events each person has; the measure is one of their distribution.
SELECT touch, period, person, COUNT(*) AS amount
FROM matched
GROUP BY touch, period, person
