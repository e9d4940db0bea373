-- What people did after something about them is new, and what anybody did from the last event on that was known.
--
-- grain:  one event of a person.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC, and others).
--         news(person, since_us): people, and the instant before which nothing about them is new.
-- params: columns: person, occurred_at, and what touches are told from.
--         known: instant of the last event that was known, microseconds since 1970 UTC.
--         since: the earliest of all these instants, so that older events need not be looked at.
-- is_new = whether it is after something about its person is new.
SELECT $columns,
  coalesce(epoch_us(events.occurred_at) >= news.since_us, FALSE) AS is_new
FROM events
LEFT JOIN news ON news.person = events.person
WHERE events.occurred_at >= make_timestamp($since)
  AND events.person IS NOT NULL
  AND (epoch_us(events.occurred_at) >= news.since_us OR events.occurred_at >= make_timestamp($known))
