-- What sampled raw lines hold of people: identifiers, network addresses, and values that look personal.
-- grain:  one row per kind and value; kinds in the order in which a value of several is called
-- inputs: shaped: rows as a source yields them (sources/shape.py); raw values, in memory only
-- params: personal: the detector's pattern
-- Shorter values than 8 characters would be found by accident, and longer ones than 300 are texts, of which no part would be.
WITH told AS (
    SELECT 1 AS place, 'user' AS kind, user_raw AS value FROM shaped
    UNION ALL SELECT 2, 'device', device_raw FROM shaped
    UNION ALL SELECT 3, 'account', account_raw FROM shaped
    UNION ALL SELECT 4, 'user', alias_raw FROM shaped
    UNION ALL SELECT 5, 'message', message_id FROM shaped
    UNION ALL SELECT 6, 'address', address FROM shaped
    UNION ALL SELECT 7, 'looks personal', unnest(coalesce(property_texts, map_values(properties))) FROM shaped
    UNION ALL SELECT 8, 'looks personal', unnest(map_values(traits)) FROM shaped
)
SELECT kind, trim(value) AS value
FROM told
WHERE length(trim(value)) BETWEEN 8 AND 300 AND (place < 7 OR regexp_matches(value, $personal))
GROUP BY kind, trim(value)
ORDER BY min(place), value
