-- Grain: one row per event that an outcome reads.
-- Inputs: ev, the events with their properties.
-- Meaning: everything that follows reads names of Headway's own: t0, t1, … whether the event is of a kind, v0, v1, … what
--   it adds.
SELECT
  person,
  us,
  day,
  $marks
FROM ev
WHERE $kept
