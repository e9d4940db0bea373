-- Grain: one row per event's name and value of one property, a missing value included.
-- Inputs: ev.
-- Meaning: how often the value occurs, and with how many people.
SELECT
  event,
  $place AS place,
  CAST($property AS VARCHAR) AS value,
  count(*) AS events,
  count(DISTINCT person) AS people
FROM ev
WHERE $asked
GROUP BY event, $property
