-- Grain: one row per cohort, person and column in which the person counts.
-- Inputs: returned.
-- Meaning: returned in every column from the first to that one, so that it is also the person's number-th return.
SELECT touch, cohort, person, number
FROM (
  SELECT
    touch,
    cohort,
    person,
    number,
    row_number() OVER (PARTITION BY touch, cohort, person ORDER BY number) AS place
  FROM returned
)
WHERE place = number AND number <= $last
