-- Grain: one row per event of activity.
-- Inputs: activity, or ended where events end sessions.
-- Meaning: started_us is the first instant of the event's session: the latest one, up to the event, that follows the
--   person's last activity by more than the idle time, or on another part, or has an event that starts a session, or
--   follows an instant with one that ends it. Events of one instant share it.
WITH followed AS (
  SELECT
    *,
    MAX(us) OVER earlier AS last_us,
    MAX(part) OVER earlier AS last_part
  FROM $activity
  WINDOW earlier AS (PARTITION BY person ORDER BY us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT
  person,
  us,
  seq,
  tracker,
  viewed,
  breakdown,
  MAX(
    CASE
      WHEN last_us IS NULL OR us - last_us > $idle_us OR $parted OR starts OR $ended THEN us
    END
  ) OVER (
    PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS started_us
FROM followed
