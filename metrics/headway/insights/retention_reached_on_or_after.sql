-- Grain: one row per cohort and period up to the last return.
-- Inputs: returned.
-- Meaning: people who returned in that period or any later one of the range.
SELECT latest.cohort, columns.period, count(*) AS people
FROM (
  SELECT cohort, person, max(period) AS period
  FROM returned
  GROUP BY cohort, person
) AS latest
INNER JOIN (SELECT unnest(range(1, $periods + 1)) AS period) AS columns ON columns.period <= latest.period
GROUP BY latest.cohort, columns.period
