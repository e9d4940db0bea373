-- Grain: one row per event or instant, as in the input.
-- Inputs: the events or instants.
-- Meaning: nx1 is the next instant with the first excluded event, no3 the next one with optional step 3.
SELECT
  *,
  $ahead
FROM $input
