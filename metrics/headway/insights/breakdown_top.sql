-- Grain: one row per event of the people in question.
-- Inputs: split, the events with their group.
-- Meaning: the groups with most people, of the events that count, keep their name (of equal ones the first in the
--   alphabet); the others are one group.
WITH largest AS (
  SELECT breakdown
  FROM split
  WHERE $counted
  GROUP BY breakdown
  ORDER BY count(DISTINCT person) DESC, $values
  LIMIT $top
)
SELECT
  $columns,
  CASE WHEN breakdown IN (SELECT breakdown FROM largest) THEN breakdown ELSE '(other)' END AS breakdown
FROM split
