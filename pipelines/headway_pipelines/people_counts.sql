-- How many people the actors are, bots and the team left out.
-- grain:  one row
-- inputs: actor_person(actor, person), people(person)
SELECT count(DISTINCT person) AS people, count(*) AS actors, count(*) FILTER (actor <> person) AS devices_joined
FROM actor_person
SEMI JOIN people USING (person)
