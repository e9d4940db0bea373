-- Retention. Grain: one row per cohort and period since its start.
-- Inputs: cells, starters, reached.
-- Meaning: people of the cohort in period 0, and those of them who returned in the later periods.
SELECT
  cells.cohort_start,
  coalesce(sizes.people, 0) AS cohort_people,
  cells.period,
  CASE WHEN cells.period = 0 THEN coalesce(sizes.people, 0) ELSE coalesce(reached.people, 0) END AS people,
  cells.ends_us <= $observed_us AS complete
FROM cells
LEFT JOIN (
  SELECT cohort, count(*) AS people
  FROM starters
  GROUP BY cohort
) AS sizes ON sizes.cohort = cells.cohort
LEFT JOIN reached ON reached.cohort = cells.cohort AND reached.period = cells.period
ORDER BY cells.cohort_start, cells.period
