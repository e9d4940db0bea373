-- Grain: one row per path that counts.
-- Inputs: runs.
-- Meaning: a path begins at its first start item and ends at the first end item after that; one without them does not
--   count. kept_from and kept_to are the ends of the piece that is kept, breakdown is the group of the event it begins with
--   before that.
WITH starts AS (
  SELECT person, path, MIN(CASE WHEN $is_start THEN place END) AS first_place
  FROM runs
  GROUP BY person, path
),
ends AS (
  SELECT
    runs.person,
    runs.path,
    starts.first_place,
    MIN(CASE WHEN runs.place >= starts.first_place + $between AND $is_end THEN runs.place END) AS end_place,
    MAX(runs.place) AS final_place
  FROM runs
  INNER JOIN starts ON starts.person = runs.person AND starts.path = runs.path
  WHERE starts.first_place IS NOT NULL
  GROUP BY runs.person, runs.path, starts.first_place
),
cut AS (
  SELECT person, path, first_place, COALESCE(end_place, final_place) AS last_place
  FROM ends
  WHERE end_place IS NOT NULL OR NOT $needs_end
),
numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY person ORDER BY path) AS number
  FROM cut
)
SELECT
  numbered.person,
  numbered.path,
  CASE WHEN $from_end THEN GREATEST(first_place, last_place - $steps + 1) ELSE first_place END AS kept_from,
  CASE WHEN $from_end THEN last_place ELSE LEAST(last_place, first_place + $steps - 1) END AS kept_to,
  runs.breakdown
FROM numbered
INNER JOIN runs
  ON runs.person = numbered.person AND runs.path = numbered.path AND runs.place = numbered.first_place
WHERE numbered.number <= $most_paths
