-- The event lake with its people, bots and the team's own traffic included.
-- grain:  one row per event
-- inputs: lake, actor_person(actor, person)
SELECT p.person, l.* EXCLUDE (batch)
FROM lake l JOIN actor_person p USING (actor)
