-- The event lake with its people, without bots and the team's own traffic.
-- grain:  one row per event of a person
-- inputs: lake, actor_person(actor, person)
SELECT p.person, l.* EXCLUDE (batch)
FROM lake l JOIN actor_person p USING (actor)
WHERE l.traffic = 'people'
