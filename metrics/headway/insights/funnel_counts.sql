-- Grain: one row per unit and instant at which something can fill a step or spoil an attempt.
-- Inputs: matched.
-- Meaning: n_2 counts the events that can fill step 2, n_1_3 those that can fill step 1 or step 3; x1 and o3 say
--   whether there is an excluded event and one for optional step 3.
SELECT
  $unit,
  us,
  $counts
FROM matched
GROUP BY
  $unit,
  us
