-- The events of a log, numbered.
-- Grain: one row per event.
-- Inputs: ev.
-- Meaning: person and code are dense numbers, in the order of the people and of the names.
WITH people AS (
  SELECT person, row_number() OVER (ORDER BY person) - 1 AS number
  FROM (SELECT DISTINCT person FROM ev)
),
names AS (
  SELECT event, row_number() OVER (ORDER BY event) - 1 AS code
  FROM (SELECT DISTINCT event FROM ev)
)
SELECT
  CAST(people.number AS UINTEGER) AS person,
  ev.us,
  CAST(names.code AS USMALLINT) AS code
FROM ev
INNER JOIN people ON people.person = ev.person
INNER JOIN names ON names.event = ev.event
