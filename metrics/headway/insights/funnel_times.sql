-- Times to convert. Grain: one row per breakdown value with anybody who got to both steps.
-- Inputs: reported.
-- Meaning: seconds from one step to the other; percentiles are exact, linear between neighbours.
SELECT
  touch,
  COUNT(*) AS people,
  AVG(waited_us) / 1e6 AS mean,
  MIN(waited_us) / 1e6 AS min,
  $percentiles,
  MAX(waited_us) / 1e6 AS max
FROM (
  SELECT
    touch,
    $later - $earlier AS waited_us
  FROM reported
  WHERE $reached
) AS waits
GROUP BY touch
ORDER BY touch
