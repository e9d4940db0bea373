-- Grain: one row per item of a path, repeats collapsed where asked for.
-- Inputs: items.
-- Meaning: us and breakdown are those of the first event of the run; place counts the runs of the path from 1. Equal times keep the log's order.
WITH followed AS (
  SELECT
    *,
    LAG(item) OVER (PARTITION BY person, path ORDER BY us, seq, item, breakdown) AS item_before
  FROM items
)
SELECT
  person,
  path,
  us,
  item,
  breakdown,
  ROW_NUMBER() OVER (PARTITION BY person, path ORDER BY us, seq, item, breakdown) AS place
FROM followed
WHERE item_before IS NULL OR item_before <> item OR NOT $collapse
