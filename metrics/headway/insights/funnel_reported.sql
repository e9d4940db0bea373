-- Grain: one row per person with an attempt.
-- Inputs: attempts.
-- Meaning: the attempt that is reported: the one that gets furthest, then finishes earliest, then starts latest.
SELECT
  person,
  level,
  $times
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY person ORDER BY level DESC, $finish, t1 DESC) AS place
  FROM attempts
)
WHERE place = 1
