-- Grain: one row per attempt that counts, several a person.
-- Inputs: attempts.
-- Meaning: a person's attempts one after the other: the next one starts strictly after the one before converted, ran
--   out of time or was spoilt. Spoilt ones take their time and are left out where exclusions drop them.
WITH RECURSIVE tried AS (
  SELECT *
  FROM (
    SELECT
      *,
      ROW_NUMBER() OVER (
        PARTITION BY
          $unit,
          t1
        ORDER BY
          spoilt,
          $best
      ) AS place
    FROM attempts
  ) AS ranked
  WHERE place = 1
),
linked AS (
  SELECT
    tried.*,
    following.t1 AS next_us
  FROM tried
  ASOF LEFT JOIN tried AS following ON $follows AND tried.ended_us < following.t1
),
walked AS (
  SELECT
    $unit,
    MIN(t1) AS t1
  FROM tried
  GROUP BY
    $unit
  UNION ALL
  SELECT
    $onward,
    linked.next_us
  FROM walked
  INNER JOIN linked ON $linked AND linked.t1 = walked.t1
  WHERE linked.next_us IS NOT NULL
)
SELECT linked.*
FROM linked
INNER JOIN walked ON $linked AND linked.t1 = walked.t1
WHERE NOT linked.spoilt
