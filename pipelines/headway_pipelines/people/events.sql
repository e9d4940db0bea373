-- The event lake with its people, without bots and the team's own traffic.
-- grain:  one row per event of a person
-- inputs: lake, actor_person(actor, person), device_spans(actor, valid_from, valid_to, person)
SELECT coalesce(s.person, p.person) AS person, l.* EXCLUDE (batch)
FROM lake l
JOIN actor_person p USING (actor)
LEFT JOIN device_spans s
    ON s.actor = l.actor
    AND l.occurred_at > coalesce(s.valid_from, '-infinity'::TIMESTAMP)
    AND l.occurred_at <= coalesce(s.valid_to, 'infinity'::TIMESTAMP)
WHERE l.traffic = 'people'
