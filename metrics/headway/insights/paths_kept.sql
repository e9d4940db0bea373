-- Grain: one row per item of the kept piece of a path.
-- Inputs: runs, and the paths that count.
-- Meaning: step counts the items from 1 on, or back from the last one (step -1 leads into it); next_item and next_us
--   are the item after it.
SELECT
  runs.person,
  runs.path,
  cut.breakdown,
  CASE WHEN $from_end THEN runs.place - cut.kept_to ELSE runs.place - cut.kept_from + 1 END AS step,
  runs.item,
  runs.us,
  LEAD(runs.item) OVER in_order AS next_item,
  LEAD(runs.us) OVER in_order AS next_us
FROM runs
INNER JOIN $paths AS cut ON cut.person = runs.person AND cut.path = runs.path
WHERE runs.place >= cut.kept_from AND runs.place <= cut.kept_to
WINDOW in_order AS (PARTITION BY runs.person, runs.path ORDER BY runs.place)
