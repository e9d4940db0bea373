-- Grain: one row per cohort, person and later period with returning events.
-- Inputs: starters, activity.
-- Meaning: later counts periods of the local calendar from the cohort's.
SELECT
  starters.touch,
  starters.cohort,
  starters.person,
  activity.period - starters.cohort AS later,
  activity.returns
FROM starters
INNER JOIN activity ON $same AND activity.period > starters.cohort
WHERE activity.returns > 0
