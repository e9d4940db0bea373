-- Grain: one row per unit and attempt.
-- Inputs: starts.
-- Meaning: level is the furthest required step reached in time, t1, t2 ... are the instants of those reached. spoilt
--   says whether an excluded event came before the attempt was past it, ended_us when the attempt is over.
SELECT
  $unit,
  $times,
  level,
  $spoilt AS spoilt,
  $ended AS ended_us
FROM (
  SELECT
    *,
    $level AS level
  FROM (
    SELECT
      *,
      $end AS end_us
    FROM starts
    WHERE $counts
  ) AS bounded
) AS judged
