-- Grain: one row per cohort, person and later period with enough returning events.
-- Inputs: starters, marked.
-- Meaning: periods are those of the local calendar, counted from the cohort's.
SELECT
  starters.cohort,
  starters.person,
  active.period - starters.cohort AS period
FROM starters
INNER JOIN (
  SELECT person, period
  FROM marked
  WHERE returns AND inside
  GROUP BY person, period
  HAVING count(*) >= $min_events
) AS active ON active.person = starters.person AND active.period > starters.cohort
