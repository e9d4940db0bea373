-- Retention. Grain: one row per value of the breakdown, cohort and column.
-- Inputs: cells, starters, reached.
-- Meaning: people of the cohort in column 0, and those of them who count in the later ones.
SELECT
  groups.touch,
  cells.cohort_start,
  coalesce(sizes.people, 0) AS cohort_people,
  cells.number AS period,
  CASE WHEN cells.number = 0 THEN coalesce(sizes.people, 0) ELSE coalesce(reached.people, 0) END AS people,
  cells.complete,
  cells.opens AS from_period,
  cells.closes AS to_period
FROM cells
CROSS JOIN (
  SELECT touch FROM starters WHERE $broken_down GROUP BY touch
  UNION ALL
  SELECT '(all)' AS touch WHERE NOT $broken_down
) AS groups
LEFT JOIN (
  SELECT touch, cohort, count(*) AS people
  FROM starters
  GROUP BY touch, cohort
) AS sizes ON sizes.touch = groups.touch AND sizes.cohort = cells.cohort
LEFT JOIN reached ON reached.touch = groups.touch AND reached.cohort = cells.cohort AND reached.number = cells.number
ORDER BY groups.touch, cells.cohort_start, cells.number
