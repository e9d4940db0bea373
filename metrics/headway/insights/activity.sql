-- Grain: one row per person and local period with enough activity.
-- Inputs: ev, with the number of the local period.
-- Meaning: periods in which the person did something that counts as active, often enough. Everything after this handles
--   periods instead of events.
SELECT person, period
FROM ev
WHERE $active
GROUP BY person, period
HAVING count(*) >= $min_events
