-- How many users or devices sent events of each undeclared name.
-- grain:  one row per name
-- inputs: judged; $names
SELECT event AS name, count(DISTINCT coalesce(user_raw, device_raw)) AS people
FROM judged
WHERE outcome = 'undeclared event' AND event IN (SELECT unnest($names))
GROUP BY event
