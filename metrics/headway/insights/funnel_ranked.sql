-- Grain: one row per event or instant, as in the input.
-- Inputs: nearest.
-- Meaning: r2 numbers step 2 among the steps in the order in which they are done from here on.
SELECT
  *,
  $ranks
FROM nearest
