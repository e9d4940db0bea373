-- People: when first seen, through which channel, as how many actors.
-- grain:  one row per person
-- inputs: channels(person, first_seen_at, channel), actor_person(actor, person), device_spans(actor, person)
SELECT c.person, c.first_seen_at, c.channel, count(*)::INTEGER AS actors
FROM channels c
JOIN (SELECT actor, person FROM actor_person UNION SELECT actor, person FROM device_spans) USING (person)
GROUP BY ALL
ORDER BY c.person
