-- Grain: one row per event of the experiment's flag.
-- Inputs: ev, the events with their properties.
-- Meaning: an exposure is valid where its variant is one of the experiment's and it lies in the experiment's time.
SELECT
  person,
  us,
  seq,
  $valid AS is_valid,
  $variant AS variant,
  $segment AS segment,
  $phase AS phase
FROM ev
WHERE $flagged
