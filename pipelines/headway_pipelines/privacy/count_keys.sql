-- Which property names came with which event.
-- grain:  one row per batch, outcome, event and set of names
-- inputs: judged
SELECT batch, outcome, event, coalesce(property_names, map_keys(properties)) AS keys, hash(keys) AS key_set, count(*) AS n
FROM judged
WHERE outcome IN ('event', 'undeclared event', 'identify', 'group')
GROUP BY ALL
UNION ALL
-- what an event says of its person is no property of the event
SELECT
    batch, CASE outcome WHEN 'group' THEN 'traits of group' ELSE 'traits of identify' END, NULL,
    map_keys(traits), hash(map_keys(traits)), count(*)
FROM judged
WHERE outcome IN ('event', 'identify', 'group') AND traits IS NOT NULL
GROUP BY ALL
