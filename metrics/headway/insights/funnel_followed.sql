-- Grain: one row per event, as in the input.
-- Inputs: the events.
-- Meaning: m3 says whether the second event after this one can be step 3, u3 is its instant. Events of one instant
--   come in the order of the log, and where that is not known by their names.
SELECT
  *,
  $followed
FROM $input
