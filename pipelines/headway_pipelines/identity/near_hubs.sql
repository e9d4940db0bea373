-- Hubs on which somebody affected was seen.
-- grain:  one row per device
-- inputs: links, hubs(device), affected(actor)
SELECT DISTINCT device
FROM links SEMI JOIN hubs USING (device) SEMI JOIN affected ON actor = person_actor
WHERE other IS NULL
