-- Grain: one row per person and instant at which something can fill a step.
-- Inputs: matched.
-- Meaning: n_2 counts the events that can fill step 2, n_1_3 those that can fill step 1 or step 3.
SELECT
  person,
  us,
  $counts
FROM matched
GROUP BY person, us
