-- Grain: one row per person and instant, as in the input.
-- Inputs: the instants.
-- Meaning: t3_after_1 is the instant at which an attempt that stands at step 1 once this instant is over takes
--   step 3, as early as it can; null where it never does.
SELECT
  *,
  $later
FROM $input
