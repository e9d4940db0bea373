-- Grain: one row per unit and instant, as in the input.
-- Inputs: the instants with their counts.
-- Meaning: after_n_1_3_2 is the instant of the second event strictly after this one that can fill step 1 or step 3,
--   from_n_1_3_2 the same with the events of this instant.
SELECT
  *,
  $found
FROM $input
