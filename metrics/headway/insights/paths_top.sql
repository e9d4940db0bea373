-- Grain: one row per sequence of items.
-- Inputs: kept.
-- Meaning: the kept pieces of paths as they are, and how many people and paths go exactly so; seconds from the first
--   event of the first item to the first event of the last one.
WITH whole AS (
  SELECT
    person,
    path,
    list(item ORDER BY step) AS items,
    MAX(us) - MIN(us) AS length_us
  FROM kept
  GROUP BY person, path
),
sequences AS (
  SELECT
    items,
    COUNT(*) AS paths,
    COUNT(DISTINCT person) AS people,
    SUM(length_us) / COUNT(*) / 1e6 AS seconds_mean
  FROM whole
  GROUP BY items
)
SELECT *
FROM sequences
WHERE people >= $min_people
ORDER BY people DESC, paths DESC, items
LIMIT $most
