-- Grain: one row per event or instant, as in the input.
-- Inputs: the events or instants.
-- Meaning: t3_after_1 is the instant at which an attempt that stands at step 1 from here on takes step 3, as early as
--   it can; null where it never does. Where taking a step early may lead nowhere, t3_4_after_1 is when it does so on
--   the way to step 4. x1 and o3 follow the next excluded event and optional step in the same way.
SELECT
  *,
  $later
FROM $input
