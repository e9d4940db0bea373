-- Links that several files repeat, each once.
-- grain:  one row per device, user and other id
-- inputs: gathered (rows of links)
SELECT device, other, person_actor, min(first_at) AS first_at, max(last_at) AS last_at, max(logout_at) AS logout_at
FROM gathered
GROUP BY device, other, person_actor
