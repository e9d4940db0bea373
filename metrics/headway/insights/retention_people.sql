-- People behind retention. Grain: one row per cohort, column and person who counts in it.
-- Inputs: starters, kept, calendar.
-- Meaning: column 0 holds the cohort.
SELECT counted.touch, calendar.period_start AS cohort_start, counted.number AS period, counted.person
FROM (
  SELECT touch, cohort, 0 AS number, person FROM starters
  UNION ALL
  SELECT touch, cohort, number, person FROM kept
) AS counted
INNER JOIN calendar ON calendar.period = counted.cohort
ORDER BY counted.touch, calendar.period_start, counted.number, counted.person
