-- Lifetimes for a survival curve. Grain: one row per value of the breakdown, last return and time known.
-- Inputs: starters, returned, calendar.
-- Meaning: last_seen is the last period with enough returning events (0: none), observed the last period that is over,
--   both counted from the person's own start.
SELECT touch, last_seen, observed, count(*) AS people
FROM (
  SELECT
    starters.touch,
    coalesce(latest.number, 0) AS last_seen,
    $observed AS observed
  FROM starters
  CROSS JOIN (
    SELECT max(CASE WHEN ends_us <= $observed_us THEN period END) AS period
    FROM calendar
  ) AS known
  LEFT JOIN (
    SELECT touch, cohort, person, max(number) AS number
    FROM returned
    GROUP BY touch, cohort, person
  ) AS latest ON latest.touch = starters.touch AND latest.cohort = starters.cohort AND latest.person = starters.person
)
GROUP BY touch, last_seen, observed
ORDER BY touch, last_seen, observed
