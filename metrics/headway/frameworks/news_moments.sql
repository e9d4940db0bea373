-- What people did after something about them is new.
--
-- grain:  one row per event.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC).
--         news(person, since_us): people, and the instant before which nothing about them is new.
-- params: since: the earliest of these instants, so that older events need not be looked at.
--         local_us: seen.us on the local clock.
SELECT $local_us AS local_us
FROM (
  SELECT person, epoch_us(occurred_at) AS us
  FROM events
  WHERE occurred_at >= make_timestamp($since)
) AS seen
INNER JOIN news ON news.person = seen.person
WHERE seen.us >= news.since_us
