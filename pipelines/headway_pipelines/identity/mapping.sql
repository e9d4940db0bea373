-- Which person an actor is. A device that changed hands is whose it was last; device_spans has the rest.
-- grain:  one row per actor that occurs in the lake
-- inputs: actors(actor), heads(member, head), owners(device, stretch, person)
SELECT a.actor, coalesce(h.head, o.person, a.actor) AS person
FROM actors a
LEFT JOIN heads h ON h.member = a.actor
LEFT JOIN (SELECT device, arg_max(person, stretch) AS person FROM owners GROUP BY device) o ON o.device = a.actor
