-- Grain: one row per person (or session) with an attempt that is not spoilt.
-- Inputs: attempts.
-- Meaning: the attempt that is reported: the one that gets furthest, then finishes earliest, then starts latest, then
--   takes its steps earliest.
SELECT
  *
FROM (
  SELECT
    *,
    ROW_NUMBER() OVER (
      PARTITION BY
        $counted
      ORDER BY
        $best
    ) AS place
  FROM attempts
  WHERE NOT spoilt
) AS tried
WHERE place = 1
