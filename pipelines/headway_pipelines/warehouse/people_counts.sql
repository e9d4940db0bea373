-- How many people the actors are, bots and the team left out.
-- grain:  one row
-- inputs: people, actor_person(actor, person), links
-- a user joined to another is no device
SELECT
    (SELECT count(*) FROM people) AS people,
    count(*) AS actors,
    count(*) FILTER (
        actor <> person
        AND actor NOT IN (SELECT person_actor FROM links WHERE person_actor IS NOT NULL)
        AND actor NOT IN (SELECT other FROM links WHERE other IS NOT NULL)
    ) AS devices_joined
FROM actor_person
