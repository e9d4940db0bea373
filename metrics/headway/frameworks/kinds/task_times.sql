-- How long attempts at a task took that succeeded.
--
-- grain:  one row per attempt that succeeded.
-- inputs: ev(person, us, moment, line, tie, day, key, is_start, is_success): what begins an attempt or ends it,
--         failures included; key says which task.
-- params: timeout: an attempt succeeds if the next event of its key before start + timeout, in microseconds, is a
--         success; unit: microseconds in a unit of the metric.
-- Attempts as in task.sql. at_us and day are those of the start.
WITH steps AS (
  SELECT
    *,
    lead(us) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_us,
    lead(is_success) OVER (PARTITION BY key ORDER BY us, line, tie) AS next_success
  FROM ev
  WHERE key IS NOT NULL
)
SELECT
  person,
  moment AS at_us,
  day,
  CAST(next_us - us AS DOUBLE) / $unit AS value,
  FALSE AS is_open
FROM steps
WHERE is_start AND next_success AND next_us < us + $timeout
