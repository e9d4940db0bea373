-- Grain: one row per event that exposes somebody to the experiment's flag, or that an outcome reads.
-- Inputs: ev, the events with their properties.
-- Meaning: everything that follows reads names of Headway's own: t0, t1, … whether the event is of a kind, v0, v1, … what
--   it adds. An exposure is valid where its variant is one of the experiment's and it lies in the experiment's time.
SELECT
  person,
  us,
  seq,
  day,
  $flagged AS is_flagged,
  $valid AS is_valid,
  $variant AS variant,
  $segment AS segment,
  $phase AS phase,
  $marks
FROM ev
WHERE $kept
