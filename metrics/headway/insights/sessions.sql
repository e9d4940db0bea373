-- Sessions. Grain: one row per session that starts in the range.
-- Inputs: the sessions.
-- Meaning: whole sessions, also where they go on after the range's end; times are UTC. One is complete when the idle
--   time after its last event is over, so that no later event can prolong it.
SELECT
  $keys,
  make_timestamp(started_us) AS started_at,
  make_timestamp(ended_us) AS ended_at,
  events,
  length_us / 1e6 AS seconds,
  $more
FROM $sessions
WHERE $kept AND $inside
ORDER BY $keys
