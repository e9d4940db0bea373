-- The people whose ids were given.
-- grain:  one row per person
-- inputs: seeds(id), actor_person, strangers
SELECT person FROM actor_person WHERE actor IN (FROM seeds)
UNION
SELECT person FROM strangers WHERE actor IN (FROM seeds)
UNION
-- a person goes by the id of one of its members, who may never have done anything
SELECT person FROM actor_person WHERE person IN (FROM seeds)
ORDER BY person
