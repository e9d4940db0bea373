-- Grain: one row per person and local day with activity.
-- Inputs: ev.
-- Meaning: days on which the person did something that counts as active.
SELECT DISTINCT person, day
FROM ev
WHERE $active
