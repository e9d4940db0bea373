-- Grain: one row per event that is activity.
-- Inputs: ev, or what was kept of it.
-- Meaning: tracker is the tracker's own session id where sessions go by it (without one an event is in no session),
--   part the local day where midnight cuts, viewed whether the event counts towards depth, starts and ends whether it
--   is the first or the last of a session, breakdown the event's group.
SELECT
  person,
  us,
  $seq AS seq,
  $part AS part,
  $tracker AS tracker,
  $viewed AS viewed,
  $starts AS starts,
  $ends AS ends,
  $breakdown AS breakdown
FROM $events
WHERE $active
