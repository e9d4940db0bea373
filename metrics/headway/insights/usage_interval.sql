-- Usage interval. Grain: one row per number of days, from 1 to the longest asked for.
-- Inputs: typical, gaps, slots.
-- Meaning: gaps of exactly that many days between active days, and people whose median gap, rounded up, is that long;
--   the row after the last asked for holds everything longer.
SELECT
  slots.number AS days,
  coalesce(spans.gaps, 0) AS gaps,
  coalesce(habits.people, 0) AS people
FROM slots
LEFT JOIN (
  SELECT days, count(*) AS gaps
  FROM (SELECT least(days, $longest + 1) AS days FROM gaps)
  GROUP BY days
) AS spans ON spans.days = slots.number
LEFT JOIN (
  SELECT days, count(*) AS people
  FROM (SELECT least((doubled + 1) // 2, $longest + 1) AS days FROM typical)
  GROUP BY days
) AS habits ON habits.days = slots.number
ORDER BY slots.number
