-- Every id that is surely these people's.
-- grain:  one row per id
-- inputs: seeds(id), persons(person), actor_person, strangers
SELECT actor AS id FROM actor_person WHERE person IN (FROM persons)
UNION
SELECT actor FROM strangers WHERE person IN (FROM persons)
UNION
SELECT person FROM persons
UNION
FROM seeds
