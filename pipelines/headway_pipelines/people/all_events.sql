-- The event lake with its people, bots and the team's own traffic included.
-- grain:  one row per event
-- inputs: lake, actor_person(actor, person), device_spans(actor, valid_from, valid_to, person)
-- who never did anything as a person is nobody but themselves
SELECT coalesce(s.person::UUID, p.person::UUID, l.actor) AS person, l.* EXCLUDE (batch)
FROM lake l
LEFT JOIN actor_person p USING (actor)
LEFT JOIN device_spans s
    ON s.actor = l.actor
    AND l.occurred_at > coalesce(s.valid_from, '-infinity'::TIMESTAMP)
    AND l.occurred_at <= coalesce(s.valid_to, 'infinity'::TIMESTAMP)
