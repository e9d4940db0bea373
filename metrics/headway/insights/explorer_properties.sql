-- Properties of events. Grain: one row per event's name and property that is filled at least once.
-- Inputs: counted, the values of every property.
-- Meaning: events of that name, those with a value, and how many different values there are.
SELECT
  event,
  place,
  CAST(sum(events) AS BIGINT) AS events,
  CAST(sum(CASE WHEN value IS NULL THEN 0 ELSE events END) AS BIGINT) AS filled,
  count(value) AS distinct_values
FROM counted
GROUP BY event, place
HAVING count(value) > 0
ORDER BY event, place
