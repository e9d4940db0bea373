-- Grain: one row per reported attempt: per person, or per session or attempt where those are counted.
-- Inputs: reported.
-- Meaning: who, and the furthest step that is not optional.
SELECT
  $listed,
  $level AS level
FROM reported
WHERE $kept
ORDER BY
  $listed,
  t1
