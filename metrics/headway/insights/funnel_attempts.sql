-- Grain: one row per person and attempt that counts.
-- Inputs: starts.
-- Meaning: t1, t2 ... are the instants of the steps taken in time, null from the first one that is not; level is
--   the furthest step reached.
SELECT
  person,
  $times,
  $level AS level
FROM starts
WHERE $counts
