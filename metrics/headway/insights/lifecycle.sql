-- Lifecycle and growth accounting. Grain: one row per local period of the range.
-- Inputs: flows, calendar.
-- Meaning: new, returning and resurrected people are active in the period; dormant ones were active in the one before
--   and are not now. active_before is counted from that period, also where it lies before the range.
SELECT
  calendar.period_start,
  coalesce(moved.fresh, 0) AS "new",
  coalesce(moved.stayed, 0) AS returning,
  coalesce(moved.resurrected, 0) AS resurrected,
  coalesce(moved.dormant, 0) AS dormant,
  coalesce(moved.active, 0) AS active,
  coalesce(moved.active_before, 0) AS active_before,
  CASE WHEN calendar.ends_us <= $observed_us THEN TRUE ELSE FALSE END AS complete
FROM calendar
LEFT JOIN (
  SELECT
    period,
    CAST(sum(CASE WHEN side = 0 AND kind = 0 THEN people ELSE 0 END) AS BIGINT) AS fresh,
    CAST(sum(CASE WHEN side = 0 AND kind = 1 THEN people ELSE 0 END) AS BIGINT) AS stayed,
    CAST(sum(CASE WHEN side = 0 AND kind = 2 THEN people ELSE 0 END) AS BIGINT) AS resurrected,
    CAST(sum(CASE WHEN side = 1 AND gone = 1 THEN people ELSE 0 END) AS BIGINT) AS dormant,
    CAST(sum(CASE WHEN side = 0 THEN people ELSE 0 END) AS BIGINT) AS active,
    CAST(sum(CASE WHEN side = 1 THEN people ELSE 0 END) AS BIGINT) AS active_before
  FROM (
    SELECT flows.period + sides.side AS period, sides.side, flows.kind, flows.gone, flows.people
    FROM flows
    CROSS JOIN (VALUES (0), (1)) AS sides (side)
  )
  GROUP BY period
) AS moved ON moved.period = calendar.period
ORDER BY calendar.period_start
