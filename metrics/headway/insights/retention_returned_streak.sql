-- Grain: one row per cohort and person who returned in the first period.
-- Inputs: starters, runs.
-- Meaning: number is the last period of the run of returns that begins with, or holds, the first period after the
--   cohort's: the streak's length. Found by the period and by the run, so that no pairs of periods are made.
SELECT
  starters.touch,
  starters.cohort,
  starters.person,
  final.period - starters.cohort AS number
FROM starters
INNER JOIN runs ON $first AND runs.period = starters.cohort + 1
INNER JOIN (
  SELECT
    $keys,
    run,
    max(period) AS period
  FROM runs
  GROUP BY
    $keys,
    run
) AS final ON $same AND final.run = runs.run
