-- Paths. Grain: one row per group, step, item and item after it.
-- Inputs: kept.
-- Meaning: how often, by how many people and how fast the one follows the other at this step of their paths.
WITH edges AS (
  SELECT
    breakdown,
    step,
    item AS source,
    next_item AS target,
    COUNT(*) AS traversals,
    COUNT(DISTINCT person) AS people,
    SUM(next_us - us) / COUNT(*) / 1e6 AS seconds_mean
  FROM kept
  WHERE next_item IS NOT NULL
  GROUP BY breakdown, step, item, next_item
)
SELECT
  $columns
FROM edges
WHERE people >= $min_people
ORDER BY breakdown, step, source, target
