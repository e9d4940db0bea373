-- Grain: one row per breakdown value and period.
-- Inputs: matched (from the first day of the first window on), calendar.
-- Meaning: distinct people in the window of days that ends with the period, or with the range if that ends first. A
--   person counts from a day until the window is over or the person's next day takes over, so that a running sum of
--   comings and goings is the exact number of distinct people.
WITH seen AS (
  SELECT touch, person, day
  FROM matched
  GROUP BY touch, person, day
),
followed AS (
  SELECT
    touch,
    day,
    LEAST(COALESCE(LEAD(day) OVER (PARTITION BY touch, person ORDER BY day) - day, $days), $days) AS stay
  FROM seen
),
looks AS (
  SELECT touches.touch, calendar.period, LEAST(calendar.last_day, $last_day) AS day
  FROM calendar
  CROSS JOIN (SELECT touch FROM seen GROUP BY touch) AS touches
),
changes AS (
  SELECT touch, day, CAST(COUNT(*) AS BIGINT) AS change FROM followed GROUP BY touch, day
  UNION ALL
  SELECT touch, day + stay AS day, -CAST(COUNT(*) AS BIGINT) AS change FROM followed GROUP BY touch, day + stay
  UNION ALL
  SELECT touch, day, 0 AS change FROM looks
),
daily AS (
  SELECT touch, day, SUM(change) AS change
  FROM changes
  GROUP BY touch, day
),
running AS (
  SELECT touch, day, SUM(change) OVER (PARTITION BY touch ORDER BY day) AS people
  FROM daily
)
SELECT looks.touch, looks.period, CAST(running.people AS BIGINT) AS value
FROM looks
INNER JOIN running ON running.touch = looks.touch AND running.day = looks.day
