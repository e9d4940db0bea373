-- Grain: one row per person (and value of the breakdown where each is a question of its own) and local period.
-- Inputs: marked.
-- Meaning: the first start, the first one in the range, and the returning events in the range. Everything after this
--   handles periods instead of events.
SELECT
  $keys,
  period,
  min(CASE WHEN starts THEN us END) AS first_us,
  min(CASE WHEN starts AND inside THEN us END) AS inside_us,
  min(CASE WHEN starts AND inside THEN point END) AS point,
  count(CASE WHEN returns AND inside THEN 1 END) AS returns
FROM marked
GROUP BY
  $keys,
  period
