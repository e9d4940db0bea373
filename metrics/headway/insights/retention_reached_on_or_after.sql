-- Grain: one row per cohort and column up to the last return.
-- Inputs: returned, spans.
-- Meaning: people who returned in that column or later in the range, or whose streak reaches it, from counts of the
--   last columns.
SELECT latest.touch, latest.cohort, spans.number, CAST(sum(latest.people) AS BIGINT) AS people
FROM (
  SELECT touch, cohort, number, count(*) AS people
  FROM (
    SELECT touch, cohort, person, max(number) AS number
    FROM returned
    GROUP BY touch, cohort, person
  )
  GROUP BY touch, cohort, number
) AS latest
INNER JOIN spans ON spans.number <= latest.number
WHERE spans.number > 0
GROUP BY latest.touch, latest.cohort, spans.number
