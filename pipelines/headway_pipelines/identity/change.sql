-- How two mappings differ.
-- grain:  one row
-- inputs: earlier(actor, person), mapping(actor, person), links
-- merged and split count the edges between people before and people now that are too many for one to one
WITH both_maps AS (
    SELECT actor, e.person AS was, m.person AS is_now
    FROM earlier e FULL JOIN mapping m USING (actor)
),
pairs AS (SELECT DISTINCT was, is_now FROM both_maps WHERE was IS NOT NULL AND is_now IS NOT NULL),
numbers AS (
    SELECT
        (SELECT count(DISTINCT person) FROM earlier) AS before,
        (SELECT count(DISTINCT person) FROM mapping) AS after,
        count(*) AS kept, count(DISTINCT was) AS still, count(DISTINCT is_now) AS continued
    FROM pairs
)
SELECT
    before, after, after - continued AS new, before - still AS gone, kept - continued AS merged, kept - still AS split,
    (
        SELECT count(*) FROM both_maps
        WHERE is_now <> actor AND coalesce(was = actor, TRUE)
            AND actor NOT IN (SELECT person_actor FROM links WHERE person_actor IS NOT NULL)
            AND actor NOT IN (SELECT other FROM links WHERE other IS NOT NULL)
    ) AS devices_joined
FROM numbers
