-- Grain: one row per event that lies in a session.
-- Inputs: the events.
-- Meaning: session_us is the start of the event's session. One ends after a pause longer than the idle time; those
--   longer than a visit can be, or with more events a minute than anybody makes, are none, as in Sessions.
WITH followed AS (
  SELECT
    *,
    MAX(us) OVER (PARTITION BY person ORDER BY us ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS last_us
  FROM $input
),
placed AS (
  SELECT
    *,
    MAX(CASE WHEN last_us IS NULL OR us - last_us > $idle_us THEN us END) OVER (
      PARTITION BY person ORDER BY us RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_us
  FROM followed
),
visits AS (
  SELECT person, session_us
  FROM placed
  GROUP BY person, session_us
  HAVING MAX(us) - session_us <= $longest_us
    AND NOT (COUNT(*) > $fastest AND COUNT(*) * 60000000 > $fastest * (MAX(us) - session_us))
)
SELECT placed.*
FROM placed
INNER JOIN visits ON visits.person = placed.person AND visits.session_us = placed.session_us
