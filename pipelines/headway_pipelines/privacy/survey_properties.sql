-- What the values of each property look like: how many of them fit each class.
-- grain:  one row per property name, whatever event carries it
-- inputs: sampled
-- A number has at most seven digits before the point: longer ones may be telephone or account numbers, and one with
-- leading zeros is a code. What looks personal is counted where it is neither number, time nor web address.
WITH told AS (
    SELECT
        name, event, actor, value,
        regexp_full_match(value, '-?(0|[1-9][0-9]{0,6})') AS whole,
        regexp_full_match(value, '-?(0|[1-9][0-9]{0,6})([.][0-9]+)?') AS numeric,
        regexp_matches(value, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') AND TRY_CAST(value AS TIMESTAMPTZ) IS NOT NULL AS timed,
        regexp_matches(value, '^https?://[^/?#\s]+') AS address
    FROM sampled
)
SELECT
    name,
    count(*) AS n,
    count(DISTINCT actor) AS actors,
    count(DISTINCT value) AS distinct_values,
    list(DISTINCT event ORDER BY event) AS events,
    count_if(lower(value) IN ('true', 'false')) AS bools,
    count_if(whole) AS integers,
    count_if(numeric) AS numbers,
    count_if(timed) AS timestamps,
    count_if(address) AS addresses,
    count_if(address AND regexp_matches(value, '[?&]utm_(source|medium|campaign)=')) AS campaigns,
    count_if(left(value, 1) IN ('{', '[')) AS nested,
    count_if(NOT numeric AND NOT timed AND NOT address AND regexp_matches(value, $personal)) AS personal
FROM told
GROUP BY name
ORDER BY n DESC, name
