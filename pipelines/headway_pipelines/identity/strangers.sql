-- Who those are that did nothing themselves and of whom something is said.
-- grain:  one row per id, and stretch of a device's time, that is somebody's; who is nobody's is one of their own
-- inputs: described(actor), actors(actor), heads(member, head), aliases, owners(device, stretch, person), stretches
-- valid from (exclusive) to (inclusive); NULL: since ever, or still
-- the other id of an alias that is no known user is taken for a device, so it belongs to whom that device belongs to
WITH silent AS (SELECT actor FROM described ANTI JOIN actors USING (actor)),
devices AS (
    SELECT actor, actor AS device FROM silent
    UNION
    SELECT actor, device FROM silent JOIN aliases ON other = actor WHERE NOT is_user
),
owned AS (
    SELECT actor, nullif(valid_from, '-infinity'::TIMESTAMP) AS valid_from, nullif(valid_to, 'infinity'::TIMESTAMP) AS valid_to, person
    FROM devices JOIN owners USING (device) LEFT JOIN stretches USING (device, stretch)
)
SELECT actor, NULL::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to, head AS person
FROM silent JOIN heads ON member = actor
UNION ALL
FROM owned ANTI JOIN heads ON member = actor
UNION ALL
SELECT actor, NULL, NULL, actor FROM silent ANTI JOIN heads ON member = actor ANTI JOIN owned USING (actor)
