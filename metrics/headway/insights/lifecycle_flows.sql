-- Grain: one row per period, kind of comer and whether the person left.
-- Inputs: activity.
-- Meaning: how people stand to the period they are active in. kind is 1 after one directly before, else 0 for those
--   who are new (the first one ever, if nothing else is asked for) and 2 for the others; gone
--   is 1 where the next period is not active, as far as is known.
SELECT period, kind, gone, count(*) AS people
FROM (
  SELECT
    period,
    CASE WHEN period - before = 1 THEN 1 WHEN $is_new THEN 0 ELSE 2 END AS kind,
    CASE WHEN later - period = 1 THEN 0 ELSE 1 END AS gone
  FROM (
    SELECT
      *,
      lag(period) OVER (PARTITION BY person ORDER BY period) AS before,
      lead(period) OVER (PARTITION BY person ORDER BY period) AS later
    FROM activity
  )
)
GROUP BY period, kind, gone
