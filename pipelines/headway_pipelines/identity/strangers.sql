-- Who those are that did nothing themselves and of whom something is said.
-- grain:  one row per id, and stretch of a device's time, that is somebody's
-- inputs: described(actor), actors(actor), heads(member, head), aliases, owners(device, stretch, person), stretches
-- valid from (exclusive) to (inclusive); NULL: since ever, or still
-- the other id of an alias that is no known user is taken for a device, so it belongs to whom that device belongs to
WITH silent AS (SELECT actor FROM described ANTI JOIN actors USING (actor)),
devices AS (
    SELECT actor, actor AS device FROM silent
    UNION
    SELECT actor, device FROM silent JOIN aliases ON other = actor WHERE NOT is_user
)
SELECT actor, NULL::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to, head AS person
FROM silent JOIN heads ON member = actor
UNION ALL
SELECT actor, nullif(valid_from, '-infinity'::TIMESTAMP), nullif(valid_to, 'infinity'::TIMESTAMP), person
FROM devices JOIN owners USING (device) LEFT JOIN stretches USING (device, stretch)
WHERE actor NOT IN (SELECT member FROM heads)
