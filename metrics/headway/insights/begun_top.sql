-- Grain: one row per row of the input.
-- Inputs: sessions or paths with the group of the event they begin with.
-- Meaning: the groups with most people, of the rows that count, keep their name (of equal ones the first in the
--   alphabet); the others are one group.
WITH largest AS (
  SELECT breakdown
  FROM $input
  WHERE $counted
  GROUP BY breakdown
  ORDER BY count(DISTINCT person) DESC, $values
  LIMIT $top
)
SELECT * REPLACE (
  CASE WHEN breakdown IN (SELECT breakdown FROM largest) THEN breakdown ELSE '(other)' END AS breakdown
)
FROM $input
