-- Values of properties. Grain: one row per event's name, property and frequent value.
-- Inputs: counted, the values of every property.
-- Meaning: the values with most people; of equal ones those with most events, then the first by text.
SELECT
  event,
  place,
  rank,
  value,
  events,
  people
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY event, place ORDER BY people DESC, events DESC, value) AS rank
  FROM counted
  WHERE value IS NOT NULL
)
WHERE rank <= $top
ORDER BY event, place, rank
