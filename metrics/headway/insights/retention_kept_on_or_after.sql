-- Grain: one row per cohort, person and column in which the person counts.
-- Inputs: returned, spans.
-- Meaning: returned in that column or later in the range; of streaks, in that column and all before it.
SELECT latest.touch, latest.cohort, latest.person, spans.number
FROM (
  SELECT touch, cohort, person, max(number) AS number
  FROM returned
  GROUP BY touch, cohort, person
) AS latest
INNER JOIN spans ON spans.number <= latest.number
WHERE spans.number > 0
