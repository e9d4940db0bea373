-- Grain: one row per group and sequence of items.
-- Inputs: kept.
-- Meaning: the kept pieces of paths as they are, and how many people and paths go exactly so; seconds from the first
--   event of the first item to the first event of the last one.
WITH whole AS (
  SELECT
    breakdown,
    person,
    path,
    list(item ORDER BY step) AS items,
    MAX(us) - MIN(us) AS length_us
  FROM kept
  GROUP BY breakdown, person, path
),
sequences AS (
  SELECT
    breakdown,
    items,
    COUNT(*) AS paths,
    COUNT(DISTINCT person) AS people,
    SUM(length_us) / COUNT(*) / 1e6 AS seconds_mean
  FROM whole
  GROUP BY breakdown, items
)
SELECT *
FROM sequences
WHERE people >= $min_people
QUALIFY ROW_NUMBER() OVER (PARTITION BY breakdown ORDER BY people DESC, paths DESC, items) <= $most
ORDER BY breakdown, people DESC, paths DESC, items
