-- How many users or devices sent each undeclared property or trait name.
-- grain:  one row per name
-- inputs: judged; $names
WITH sent AS (
    SELECT
        list_concat(coalesce(map_keys(properties), []), coalesce(map_keys(traits), [])) AS names,
        coalesce(user_raw, device_raw) AS who
    FROM judged
    WHERE outcome IN ('event', 'identify', 'group')
)
SELECT name, count(DISTINCT who) AS people
FROM (SELECT unnest(names) AS name, who FROM sent WHERE list_has_any(names, $names))
WHERE name IN (SELECT unnest($names))
GROUP BY name
