-- Grain: one row per event that has a person, a name and a time.
-- Inputs: the events as they are stored, with times in UTC.
-- Meaning: the only place where a question meets dates and time zones; everything after it counts in integers.
--   us   microseconds since 1970 in UTC      day  days since 1970-01-01 on a calendar of the reporting time zone
--   seq  order of events with the same us
SELECT
  $person AS person,
  $event AS event,
  epoch_us($utc) AS us,
  CAST($local AS DATE) - DATE '1970-01-01' AS day,
  $more
FROM $relation
WHERE $condition
