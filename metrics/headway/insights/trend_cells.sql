-- Grain: one row per breakdown value and period.
-- Inputs: groups, measured, calendar.
-- Meaning: the measure, periods without any events included; place counts the periods of the range from 0.
SELECT
  groups.touch,
  calendar.period - $first AS place,
  calendar.period_start,
  COALESCE(measured.value, $none) AS value,
  calendar.ends_us <= $observed_us AS complete
FROM groups
CROSS JOIN calendar
LEFT JOIN measured ON measured.touch = groups.touch AND measured.period = calendar.period
