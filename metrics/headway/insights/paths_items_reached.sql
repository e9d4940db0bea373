-- Grain: one row per group, step and item.
-- Inputs: kept.
-- Meaning: how many paths have the item at this step, and how many of them stop there although they could go on: the
--   path ends before the number of steps and not at the end that was asked for.
SELECT
  breakdown,
  step,
  item,
  COUNT(*) AS paths,
  COUNT(DISTINCT person) AS people,
  COUNT(*) FILTER (WHERE next_item IS NULL AND $may_go_on) AS stopped
FROM kept
GROUP BY breakdown, step, item
ORDER BY breakdown, step, item
