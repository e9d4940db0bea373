-- Ids that did nothing and of which nothing is said, but which were only ever seen with the members: their devices, and
-- what they were called elsewhere.
-- grain:  one row per id
-- inputs: links, members(id), persons(person), actor_person, strangers
WITH pairs AS (
    SELECT device AS id, person_actor AS beside FROM links
    UNION ALL SELECT other, person_actor FROM links
    UNION ALL SELECT person_actor, device FROM links
    UNION ALL SELECT person_actor, other FROM links
)
SELECT id
FROM pairs
WHERE id IS NOT NULL AND beside IS NOT NULL
    AND id NOT IN (FROM members)
    AND id NOT IN (SELECT unnest([actor, person]) FROM actor_person WHERE person NOT IN (FROM persons))
    AND id NOT IN (SELECT unnest([actor, person]) FROM strangers WHERE person NOT IN (FROM persons))
GROUP BY id
HAVING bool_and(beside IN (FROM members))
