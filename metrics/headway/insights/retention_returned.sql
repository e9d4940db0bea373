-- Grain: one row per cohort, person and column with enough returning events.
-- Inputs: later.
-- Meaning: number is the column: the period, or the bracket of periods, counted from the cohort's. What lies after the
--   last bracket is one more.
SELECT
  touch,
  cohort,
  person,
  number
FROM (
  SELECT
    touch,
    cohort,
    person,
    $number AS number,
    returns
  FROM later
)
GROUP BY touch, cohort, person, number
HAVING sum(returns) >= $min_events
