-- Grain: one row per unit and event or instant at which an attempt starts.
-- Inputs: the events or instants with what comes later.
-- Meaning: t1, t2 ... are the instants the attempt takes its steps at, the window aside (t2_4: on the way to step 4);
--   earlier counts the unit's starts before it, restart_us is the next one.
SELECT
  $columns
FROM $input
WHERE $opens
