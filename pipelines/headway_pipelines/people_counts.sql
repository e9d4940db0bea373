-- How many people the actors are.
-- grain:  one row
-- inputs: actor_person(actor, person)
SELECT count(DISTINCT person) AS people, count(*) AS actors, count(*) FILTER (actor <> person) AS devices_joined
FROM actor_person
