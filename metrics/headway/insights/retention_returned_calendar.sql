-- Grain: one row per cohort, person and later period with enough returning events.
-- Inputs: starters, activity.
-- Meaning: number counts periods of the local calendar from the cohort's.
SELECT
  starters.touch,
  starters.cohort,
  starters.person,
  activity.period - starters.cohort AS number
FROM starters
INNER JOIN activity ON $same AND activity.period > starters.cohort AND activity.period <= starters.cohort + $last
WHERE activity.returns >= $min_events
