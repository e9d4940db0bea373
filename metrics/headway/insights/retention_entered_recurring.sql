-- Grain: one row per person and period with a start in the range.
-- Inputs: activity.
-- Meaning: each of these periods is a cohort of the person.
SELECT
  $own,
  activity.period AS cohort,
  activity.point
FROM activity
WHERE activity.inside_us IS NOT NULL
