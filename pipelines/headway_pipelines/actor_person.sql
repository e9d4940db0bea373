-- Which person an actor is: a device is the user it was last seen with, everybody else is themselves.
-- grain:  one row per actor that occurs in the lake
-- inputs: lake, links(device, person_actor, last_at)
WITH latest AS (
    -- the second key decides between users seen at the same instant, whatever order the links came in
    SELECT device, arg_max(person_actor, (last_at, person_actor)) AS person FROM links GROUP BY device
),
actors AS (SELECT DISTINCT actor FROM lake)
SELECT a.actor, coalesce(l.person, a.actor) AS person
FROM actors a
LEFT JOIN latest l ON l.device = a.actor
