-- Whose a device was when, where log-outs made it change hands. In a stretch in which nobody was seen it is its own.
-- grain:  one row per device and stretch, for devices that were not one person's all the time
-- inputs: stretches, owners(device, stretch, person), actors(actor)
-- valid from (exclusive) to (inclusive); NULL: since ever, or still
WITH owned AS (
    SELECT
        s.device AS actor,
        nullif(valid_from, '-infinity'::TIMESTAMP) AS valid_from, nullif(valid_to, 'infinity'::TIMESTAMP) AS valid_to,
        coalesce(o.person, s.device) AS person
    FROM stretches s
    SEMI JOIN actors a ON a.actor = s.device
    LEFT JOIN owners o ON o.device = s.device AND o.stretch = s.stretch
)
SELECT *
FROM owned
SEMI JOIN (SELECT actor FROM owned GROUP BY actor HAVING min(person) <> max(person)) USING (actor)
ORDER BY actor, valid_from NULLS FIRST
