-- What people did after something about them is new.
--
-- grain:  one row per event.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC, and others).
--         news(person, since_us): people, and the instant before which nothing about them is new.
-- params: since: the earliest of these instants, so that older events need not be looked at.
SELECT events.*
FROM events
INNER JOIN news ON news.person = events.person
WHERE events.occurred_at >= make_timestamp($since) AND epoch_us(events.occurred_at) >= news.since_us
