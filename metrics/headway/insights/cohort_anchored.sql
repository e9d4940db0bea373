-- Grain: one row per event.
-- Inputs: ev, all events of the log.
-- Meaning: "anchor 1" and so on are the first instants, up to the event, that windows of a cohort are counted from;
--   null before there is one. What lies after the first one ever sees exactly that one.
SELECT
  *,
  $anchors
FROM ev
