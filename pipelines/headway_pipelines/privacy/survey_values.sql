-- The values of a sample, one by one, each with who sent it. In memory only; nothing here leaves the privacy package.
-- grain:  one row per event and property with a value
-- inputs: judged
CREATE TEMP TABLE sampled AS
SELECT event, actor, name, value
FROM (
    SELECT
        event, coalesce(user_raw, device_raw) AS actor,
        unnest(coalesce(property_names, map_keys(properties))) AS name, unnest(coalesce(property_texts, map_values(properties))) AS value
    FROM judged
    WHERE outcome = 'event'
)
WHERE value <> ''
