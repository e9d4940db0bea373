-- How many users or devices sent each undeclared property or trait name.
-- grain:  one row per name
-- inputs: judged; $names; $key_sets: hashes of the sets of names (count_keys.sql) that hold one of them
-- The hash only spares rows: two sets with the same one would both be looked at.
SELECT name, count(DISTINCT who) AS people
FROM (
    SELECT unnest(coalesce(property_names, map_keys(properties))) AS name, coalesce(user_raw, device_raw) AS who
    FROM judged
    WHERE outcome IN ('event', 'identify', 'group') AND hash(coalesce(property_names, map_keys(properties))) IN (SELECT unnest($key_sets))
    UNION ALL
    SELECT unnest(map_keys(traits)), coalesce(user_raw, device_raw)
    FROM judged
    WHERE outcome IN ('event', 'identify', 'group') AND hash(map_keys(traits)) IN (SELECT unnest($key_sets))
)
WHERE name IN (SELECT unnest($names))
GROUP BY name
