-- Grain: one row per period, kind of comer and whether the person left.
-- Inputs: activity.
-- Meaning: how people stand to the period they are active in. kind is 0 for the first one ever, 1 after one directly
--   before, 2 after an earlier one; gone is 1 where the next period is not active, as far as is known.
SELECT period, kind, gone, count(*) AS people
FROM (
  SELECT
    period,
    CASE WHEN before IS NULL THEN 0 WHEN period - before = 1 THEN 1 ELSE 2 END AS kind,
    CASE WHEN later - period = 1 THEN 0 ELSE 1 END AS gone
  FROM (
    SELECT
      person,
      period,
      lag(period) OVER (PARTITION BY person ORDER BY period) AS before,
      lead(period) OVER (PARTITION BY person ORDER BY period) AS later
    FROM activity
  )
)
GROUP BY period, kind, gone
