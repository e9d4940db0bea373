-- Traits of rows that name nobody or have no time they can be true from.
-- grain:  one row per batch and raw name
-- inputs: stated_rows (see trait_rows.sql)
SELECT _batch AS batch, name, sum(_n)::BIGINT AS n
FROM (SELECT _batch, _n, unnest(map_keys(properties)) AS name FROM stated_rows WHERE NOT _usable)
GROUP BY _batch, name
ORDER BY ALL
