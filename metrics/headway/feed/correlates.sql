-- Early behaviours, and who came back. Grain: one row per event that somebody did early.
-- Inputs: ev (person, us, event), the events of all people.
-- Meaning: of the people who started, and whose next window is over, how many did the event in the window after their
--   start, how many came back in the window after that, and how many both. A window is $width microseconds. What coming
--   back consists of is no behaviour of its own: that who does it goes on with it is no news.
WITH started AS (
  SELECT person, min(us) AS us
  FROM ev
  WHERE $starts
  GROUP BY person
),
ripe AS (
  SELECT person, us
  FROM started
  WHERE us + 2 * $width <= $observed
),
came AS (
  SELECT DISTINCT ev.person AS person
  FROM ev
  INNER JOIN ripe ON ripe.person = ev.person
  WHERE $returns AND ev.us >= ripe.us + $width AND ev.us < ripe.us + 2 * $width
),
early AS (
  SELECT DISTINCT ev.person AS person, ev.event AS event
  FROM ev
  INNER JOIN ripe ON ripe.person = ev.person
  WHERE ev.us > ripe.us AND ev.us < ripe.us + $width AND NOT $returns
)
SELECT
  early.event AS behaviour,
  (SELECT count(*) FROM ripe) AS people,
  (SELECT count(*) FROM came) AS kept,
  count(*) AS did,
  count(came.person) AS did_kept
FROM early
LEFT JOIN came ON came.person = early.person
GROUP BY early.event
ORDER BY early.event
