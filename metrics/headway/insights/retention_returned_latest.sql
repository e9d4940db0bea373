-- Grain: one row per cohort and person who returned at all.
-- Inputs: starters, activity.
-- Meaning: number is the column of the last period with enough returning events: the same period for all cohorts of a
--   person, so that no pairs of periods are made.
SELECT
  touch,
  cohort,
  person,
  $number AS number
FROM (
  SELECT
    starters.touch,
    starters.cohort,
    starters.person,
    final.period - starters.cohort AS later
  FROM starters
  INNER JOIN (
    SELECT
      $keys,
      max(period) AS period
    FROM activity
    WHERE returns >= $min_events
    GROUP BY
      $keys
  ) AS final ON $same AND final.period > starters.cohort
)
