-- The values of a sample, one by one, each with who sent it. In memory only; nothing here leaves the privacy package.
-- grain:  one row per event and property with a value
-- inputs: judged
CREATE TEMP TABLE sampled AS
SELECT event, actor, e.key AS name, e.value AS value
FROM (
    SELECT event, coalesce(user_raw, device_raw) AS actor, unnest(map_entries(properties)) AS e
    FROM judged
    WHERE outcome = 'event'
)
WHERE e.value <> ''
