-- Grain: one row per event of one group.
-- Inputs: split, the events with their group.
-- Meaning: the events of that group alone.
SELECT
  $columns
FROM split
WHERE $chosen
