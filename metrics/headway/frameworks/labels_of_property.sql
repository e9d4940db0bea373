-- What a property of people said since when, as labels: those of most people by name, the others together.
--
-- grain:  one row per person and instant at which something is said of the person.
-- inputs: told(person INTEGER, since_us BIGINT, value VARCHAR).
-- params: top: number of values shown by name; missing and other: labels of no value and of the other values.
-- Values are ranked by the people of whom they were ever said; among equals the smaller text comes first.
WITH ranked AS (
  SELECT value, row_number() OVER (ORDER BY count(DISTINCT person) DESC, value) AS place
  FROM told
  WHERE value IS NOT NULL
  GROUP BY value
)
SELECT
  told.person AS person,
  told.since_us AS since_us,
  CASE
    WHEN told.value IS NULL THEN $missing
    WHEN ranked.place <= $top THEN told.value
    ELSE $other
  END AS label
FROM told
LEFT JOIN ranked ON ranked.value = told.value
