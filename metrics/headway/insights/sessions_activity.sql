-- Grain: one row per event that is activity.
-- Inputs: ev.
-- Meaning: tracker is the tracker's own session id where sessions go by it (without one an event is in no session),
--   part the local day where midnight cuts, viewed whether the event counts towards depth.
SELECT
  person,
  us,
  $part AS part,
  $tracker AS tracker,
  $viewed AS viewed
FROM ev
WHERE $active
