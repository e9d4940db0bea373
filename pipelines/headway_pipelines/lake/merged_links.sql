-- Links between devices and users, several files in one.
-- grain:  one row per device, user and other id
-- inputs: linked (rows of link files)
SELECT
    0::UINTEGER AS batch, device, other, person_actor,
    min(first_at) AS first_at, max(last_at) AS last_at, max(logout_at) AS logout_at
FROM linked
GROUP BY device, other, person_actor
ORDER BY device, other, person_actor
