-- Grain: one row per event, as in the input.
-- Inputs: the events.
-- Meaning: d2 is the first instant from here on with step 2.
SELECT
  *,
  $nearest
FROM $input
