-- Grain: one row per event of activity.
-- Inputs: activity.
-- Meaning: started_us is the first instant of the person's events with the same session id (and part).
SELECT
  person,
  us,
  seq,
  tracker,
  viewed,
  breakdown,
  MIN(us) OVER (PARTITION BY person, tracker, part) AS started_us
FROM activity
