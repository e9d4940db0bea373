-- Grain: one row per session.
-- Inputs: placed, events with the start of their session.
-- Meaning: session counts the person's sessions in time. set_apart says why a session is no visit: longer than one
--   can be, or with more events a minute (of its length, one minute at least) than anybody makes.
--   breakdown is the group of its first event, of equal times the first one in the log.
WITH bounded AS (
  SELECT * FROM placed WHERE us - started_us <= $cut_us
),
sessions AS (
  SELECT
    person,
    tracker,
    started_us,
    MAX(us) AS ended_us,
    MAX(us) - started_us AS length_us,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE viewed) AS views,
    arg_min(breakdown, $first) AS breakdown
  FROM bounded
  GROUP BY person, tracker, started_us
)
SELECT
  *,
  ROW_NUMBER() OVER (PARTITION BY person ORDER BY started_us, tracker) AS session,
  CASE
    WHEN length_us > $longest_us THEN 'too long'
    WHEN events > $fastest AND events * 60000000 > $fastest * length_us THEN 'too many events'
  END AS set_apart
FROM sessions
