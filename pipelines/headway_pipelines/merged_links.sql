-- Links between devices and users, old and new together.
-- grain:  one row per device and user
-- inputs: links, staged_links
SELECT 0::UINTEGER AS batch, device, person_actor, min(first_at) AS first_at, max(last_at) AS last_at
FROM (FROM links UNION ALL FROM staged_links WHERE batch IN (/* passed */))
GROUP BY device, person_actor
ORDER BY device, person_actor
