-- Intervals from one event to another, those that are still open included.
--
-- grain:  one row per interval: it opens with a start while none is open, and closes with the next end.
-- inputs: ev(person, us, line, tie, day, key, is_start, is_end): events that start or end something; key says what,
--         and events without one are left out. line and tie order events of one instant.
-- params: first_only: whether only the first interval of a key counts.
-- An interval is its starter's. until_us is null while it is open. What is a start and an end at once ends the open
-- interval and begins the next, as with the time from visit to visit.
WITH steps AS (
  -- Something is open where the event before was a start: it has opened it, or found it open.
  SELECT
    person, us, line, tie, day, key, is_start, is_end,
    coalesce(lag(is_start) OVER (PARTITION BY key ORDER BY us, line, tie), FALSE) AS was_open,
    lead(CASE WHEN is_end THEN us END IGNORE NULLS) OVER (PARTITION BY key ORDER BY us, line, tie) AS until_us
  FROM ev
  WHERE key IS NOT NULL
),
begun AS (
  SELECT *, row_number() OVER (PARTITION BY key ORDER BY us, line, tie) AS place
  FROM steps
  WHERE is_start AND (is_end OR NOT was_open)
)
SELECT person, us AS at_us, day, until_us
FROM begun
WHERE NOT $first_only OR place = 1
