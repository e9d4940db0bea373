-- The ids under which a person is known, and when they were seen together.
-- grain:  one row per id
-- inputs: links, own(id), mine(id): own and the devices that were the person's for a while
SELECT actor, min(first_at) AS first_at, max(last_at) AS last_at
FROM (
    SELECT unnest([device, other, person_actor]) AS actor, first_at, last_at
    FROM links
    WHERE device IN (FROM own) OR other IN (FROM own) OR person_actor IN (FROM own)
)
WHERE actor IN (FROM mine)
GROUP BY actor
ORDER BY actor
