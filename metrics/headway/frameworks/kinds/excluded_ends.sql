-- How many things ended before anything began them.
--
-- grain:  one row.
-- inputs: ev(us, line, tie, key, is_start, is_end): events that start or end something; line and tie order events of one
--         instant, and events without a key are none of these.
-- Where an end and the first start of its key are of one instant, the order of the log is looked at.
WITH begun AS (
  SELECT key, min(us) AS us
  FROM ev
  WHERE is_start AND key IS NOT NULL
  GROUP BY key
),
ends AS (
  SELECT ev.key AS key, ev.line AS line, ev.tie AS tie, ev.us AS us, coalesce(ev.us = begun.us, FALSE) AS unclear
  FROM ev
  LEFT JOIN begun ON begun.key = ev.key
  WHERE ev.is_end AND ev.key IS NOT NULL AND (begun.us IS NULL OR ev.us <= begun.us)
),
at_once AS (
  SELECT ev.key AS key, min(row(ev.line, ev.tie)) AS place
  FROM ev
  SEMI JOIN (SELECT key, us FROM ends WHERE unclear) AS unclear ON unclear.key = ev.key AND unclear.us = ev.us
  WHERE ev.is_start
  GROUP BY ev.key
)
SELECT count(*) AS n_events
FROM ends
LEFT JOIN at_once ON at_once.key = ends.key AND ends.unclear
WHERE at_once.place IS NULL OR row(ends.line, ends.tie) < at_once.place
