-- Which property names came with which event.
-- grain:  one row per batch, outcome, event and set of names
-- inputs: judged
SELECT batch, outcome, event, map_keys(properties) AS keys, count(*) AS n
FROM judged
WHERE outcome IN ('event', 'undeclared event', 'identify', 'group')
GROUP BY ALL
