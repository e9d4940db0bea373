-- Grain: one row per event that is activity.
-- Inputs: ev.
-- Meaning: what sessions are made of, without what is the same for every event.
SELECT
  $columns
FROM ev
WHERE $active
