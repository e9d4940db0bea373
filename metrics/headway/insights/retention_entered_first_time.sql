-- Grain: one row per person whose first start ever lies in the range.
-- Inputs: activity.
-- Meaning: the period of that start is the cohort.
SELECT
  $own,
  activity.period AS cohort,
  activity.point
FROM activity
INNER JOIN (
  SELECT
    $keys,
    min(first_us) AS us
  FROM activity
  GROUP BY
    $keys
) AS ever ON $same AND activity.inside_us = ever.us
