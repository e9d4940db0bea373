-- Whose the events of an actor are: one row for all of them, and one for each time in which they are somebody else's.
-- grain:  one row per actor, and one per span of a device
-- inputs: actor_person(actor, person), device_spans(actor, valid_from, valid_to, person), people(id, number),
--         actors(id, number)
-- from_us is excluded and until_us included; null is open. In both null, spanned tells the row for all events apart.
SELECT a.id, a.number AS actor, false AS spanned, NULL::BIGINT AS from_us, NULL::BIGINT AS until_us, p.number AS person
FROM actor_person m
JOIN actors a ON a.id = m.actor
JOIN people p ON p.id = m.person
UNION ALL
SELECT a.id, a.number, true, epoch_us(s.valid_from), epoch_us(s.valid_to), p.number
FROM device_spans s
JOIN actors a ON a.id = s.actor
JOIN people p ON p.id = s.person
