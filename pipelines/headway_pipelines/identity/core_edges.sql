-- Which ids decide about each other, apart from devices of a single user.
-- grain:  one row per pair of ids
-- inputs: links, core(device), hubs(device)
SELECT DISTINCT device AS a, person_actor AS b
FROM links SEMI JOIN core USING (device) ANTI JOIN hubs USING (device)
WHERE other IS NULL AND person_actor IS NOT NULL
UNION ALL
SELECT unnest([device, other]), person_actor
FROM links
WHERE other IS NOT NULL
