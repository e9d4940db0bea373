-- Trend beside the range before it. Grain: one row per breakdown value and local period.
-- Inputs: now, before (the equally long range that ends where this one starts), calendar.
-- Meaning: value_before belongs to the period at the same place of the range before, change is the difference to it,
--   change_share the difference as a share of it (null where it is 0). Values of either range are there.
WITH groups AS (
  SELECT touch FROM (SELECT touch FROM now UNION ALL SELECT touch FROM before) AS sides GROUP BY touch
),
compared AS (
  SELECT
    groups.touch,
    calendar.period - $first AS place,
    calendar.period_start,
    COALESCE(now.value, $none) AS value,
    COALESCE(before.value, $none) AS value_before,
    calendar.ends_us <= $observed_us AS complete
  FROM groups
  CROSS JOIN calendar
  LEFT JOIN now ON now.touch = groups.touch AND now.place = calendar.period - $first
  LEFT JOIN before ON before.touch = groups.touch AND before.place = calendar.period - $first
),
shown AS (
  SELECT
    *,
    value - value_before AS change,
    (value - value_before) / NULLIF(CAST(value_before AS DOUBLE), 0) AS change_share
  FROM compared
)
SELECT
  $columns
FROM shown
ORDER BY touch, place
