-- The values of properties that have few, and the hosts of web addresses, each with the number of those who sent it.
-- grain:  one row per property and value or host
-- inputs: sampled
SELECT name, FALSE AS is_host, value, count(*) AS n, count(DISTINCT actor) AS actors
FROM sampled
SEMI JOIN (SELECT name FROM sampled GROUP BY name HAVING count(DISTINCT value) <= $most) USING (name)
GROUP BY name, value
UNION ALL
SELECT name, TRUE, host, count(*), count(DISTINCT actor)
FROM (
    SELECT name, actor, lower(regexp_extract(value, '^https?://(?:[^/?#@]*@)?([A-Za-z0-9.-]+)', 1)) AS host
    FROM sampled
    WHERE regexp_matches(value, '^https?://[^/?#\s]+')
)
GROUP BY name, host
ORDER BY name, is_host, n DESC, value
