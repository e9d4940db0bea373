-- The traits of a sample, one by one, in place of the values of events. In memory only, as those.
-- grain:  one row per row and trait with a value
-- inputs: judged; $kinds, $owner
CREATE OR REPLACE TEMP TABLE sampled AS
SELECT $owner AS event, actor, e.key AS name, e.value AS value
FROM (
    SELECT coalesce(user_raw, device_raw, account_raw) AS actor, unnest(map_entries(traits)) AS e
    FROM judged
    WHERE outcome IN $kinds AND traits IS NOT NULL
)
WHERE e.value <> ''
