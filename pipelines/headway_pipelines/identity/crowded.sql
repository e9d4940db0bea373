-- Devices of several people, and people of several devices: not one-to-one.
-- grain:  one row per device or person
-- inputs: seen
SELECT device AS actor FROM seen GROUP BY device HAVING count(person) > 1
UNION ALL
SELECT person FROM seen WHERE person IS NOT NULL GROUP BY person HAVING count(*) > 1
