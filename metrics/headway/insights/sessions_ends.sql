-- Grain: one row per event of activity.
-- Inputs: activity.
-- Meaning: last_end_us is the latest instant before the event's at which something of the person ended a session.
SELECT
  *,
  MAX(CASE WHEN ends THEN us END) OVER (
    PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ) AS last_end_us
FROM activity
