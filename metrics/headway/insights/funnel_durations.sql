-- Grain: one row per reported attempt that got to both steps.
-- Inputs: reported.
-- Meaning: the seconds from one step to the other.
SELECT
  touch,
  $listed,
  ($later - $earlier) / 1e6 AS seconds
FROM reported
WHERE $reached
ORDER BY
  touch,
  $listed,
  t1
