-- Intervals from one event to another, those that are still open included.
--
-- grain:  one row per interval: it opens with a start while none is open, and closes with the next end.
-- inputs: ev(person, us, line, tie, day, key, is_start, is_end): events that start or end something; key says what,
--         and events without one are left out. line and tie order events of one instant; what is both counts as an end.
-- params: first_only: whether only the first interval of a key counts.
-- An interval is its starter's. until_us is null while it is open.
WITH steps AS (
  -- What came before says whether something is open: a start has opened it, or found it open.
  SELECT *, coalesce(lag(NOT is_end) OVER (PARTITION BY key ORDER BY us, line, tie), FALSE) AS was_open
  FROM ev
  WHERE key IS NOT NULL
),
edges AS (
  SELECT
    *,
    lead(us) OVER (PARTITION BY key ORDER BY us, line, tie) AS until_us,
    row_number() OVER (PARTITION BY key ORDER BY us, line, tie) AS place
  FROM steps
  WHERE is_end = was_open
)
SELECT person, us AS at_us, day, CAST(NULL AS DOUBLE) AS value, until_us
FROM edges
WHERE NOT is_end AND (NOT $first_only OR place = 1)
