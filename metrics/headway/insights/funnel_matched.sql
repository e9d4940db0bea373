-- Grain: one row per event that can fill a step.
-- Inputs: ev.
-- Meaning: s1, s2 ... say which steps the event can fill; touch is its value of the breakdown.
SELECT
  person,
  us,
  seq,
  $touch AS touch,
  $flags
FROM ev
WHERE $any
