-- Trend. Grain: one row per breakdown value and local period.
-- Inputs: matched, calendar.
-- Meaning: the measure of the period's events; periods without any are there as well.
WITH groups AS (
  SELECT DISTINCT touch FROM matched
  UNION
  SELECT '(all)' AS touch WHERE NOT $broken_down
),
measured AS (
  SELECT touch, period, $measure AS value
  FROM matched
  GROUP BY touch, period
)
SELECT
  groups.touch,
  calendar.period_start,
  coalesce(measured.value, $none) AS value,
  calendar.ends_us <= $observed_us AS complete
FROM groups
CROSS JOIN calendar
LEFT JOIN measured ON measured.touch = groups.touch AND measured.period = calendar.period
ORDER BY groups.touch, calendar.period_start
