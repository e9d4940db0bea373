-- Event explorer. Grain: one row per name of an event that occurs in the range.
-- Inputs: ev, calendar of local days.
-- Meaning: how often, by how many people, first and last instant, and how often on every day of the range, in order.
WITH names AS (
  SELECT
    event,
    count(*) AS events,
    count(DISTINCT person) AS people,
    min(us) AS first_us,
    max(us) AS last_us
  FROM ev
  WHERE $asked
  GROUP BY event
),
daily AS (
  SELECT event, day, count(*) AS events
  FROM ev
  GROUP BY event, day
)
SELECT
  names.event,
  names.events,
  names.people,
  names.first_us,
  names.last_us,
  list(coalesce(daily.events, 0) ORDER BY calendar.first_day) AS per_day
FROM names
CROSS JOIN calendar
LEFT JOIN daily ON daily.event = names.event AND daily.day = calendar.first_day
GROUP BY names.event, names.events, names.people, names.first_us, names.last_us
ORDER BY names.event
