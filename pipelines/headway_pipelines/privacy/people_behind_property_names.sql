-- How many users or devices sent each undeclared property name.
-- grain:  one row per name
-- inputs: judged; $names
SELECT name, count(DISTINCT who) AS people
FROM (
    SELECT unnest(map_keys(properties)) AS name, coalesce(user_raw, device_raw) AS who
    FROM judged
    WHERE outcome IN ('event', 'identify', 'group') AND list_has_any(map_keys(properties), $names)
)
WHERE name IN (SELECT unnest($names))
GROUP BY name
