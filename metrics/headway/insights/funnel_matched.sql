-- Grain: one row per event that can fill a step or spoil an attempt; with order strict every event.
-- Inputs: the events.
-- Meaning: s1, s2 ... say which required steps the event can fill, o3 whether it can fill the optional step 3, x1
--   whether it is the first excluded event; touch is its value of the breakdown.
SELECT
  $columns
FROM $input
WHERE $kept
