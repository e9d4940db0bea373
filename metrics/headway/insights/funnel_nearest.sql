-- Grain: one row per event or instant, as in the input.
-- Inputs: the events, or instants with their counts.
-- Meaning: d2 is the first instant from here on with step 2; of steps that one event could fill alike, the one at which
--   so many of them are filled by different events.
SELECT
  *,
  $nearest
FROM $input
