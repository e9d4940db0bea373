-- Active people. Grain: one row per local period and length of the window.
-- Inputs: activity (one row per person and active local day), calendar, windows.
-- Meaning: distinct people active in the window of days that ends with the period, or with the range if that ends
--   first. A person counts from an active day until the window is over or the next active day takes over, so that
--   a running sum of comings and goings is the exact number of distinct people.
WITH stays AS (
  SELECT day, gap, count(*) AS people
  FROM (
    SELECT day, least(coalesce(later - day, $longest), $longest) AS gap
    FROM (
      SELECT period AS day, lead(period) OVER (PARTITION BY person ORDER BY period) AS later
      FROM activity
    )
  )
  GROUP BY day, gap
),
changes AS (
  SELECT
    windows.window_days,
    stays.day + CASE WHEN sides.side = 1 THEN least(stays.gap, windows.window_days) ELSE 0 END AS day,
    CASE WHEN sides.side = 1 THEN -stays.people ELSE stays.people END AS change
  FROM stays
  CROSS JOIN windows
  CROSS JOIN (VALUES (0), (1)) AS sides (side)
),
looks AS (
  SELECT
    calendar.period_start,
    windows.window_days,
    least(calendar.last_day, $last_day) AS day,
    CASE WHEN calendar.ends_us <= $observed_us THEN TRUE ELSE FALSE END AS complete
  FROM calendar
  CROSS JOIN windows
),
daily AS (
  SELECT window_days, day, sum(change) AS change
  FROM (
    SELECT window_days, day, change FROM changes
    UNION ALL
    SELECT window_days, day, 0 AS change FROM looks
  )
  GROUP BY window_days, day
),
running AS (
  SELECT window_days, day, CAST(sum(change) OVER (PARTITION BY window_days ORDER BY day) AS BIGINT) AS people
  FROM daily
)
SELECT looks.period_start, looks.window_days, running.people AS value, looks.complete
FROM looks
INNER JOIN running ON running.window_days = looks.window_days AND running.day = looks.day
ORDER BY looks.period_start, looks.window_days
