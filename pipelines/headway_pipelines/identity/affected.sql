-- Everybody whose person may change: touched ids, and all that hang together with them.
-- grain:  one row per id
-- inputs: touched_ids(actor), links, hubs(device), labels(node, label)
WITH seen AS (FROM links ANTI JOIN hubs USING (device) SELECT device, person_actor WHERE other IS NULL AND device IS NOT NULL AND person_actor IS NOT NULL),
started AS (
    SELECT actor FROM touched_ids
    UNION
    SELECT person_actor FROM seen SEMI JOIN touched_ids ON actor = device
),
joined AS (
    SELECT actor FROM started
    UNION
    SELECT node FROM labels SEMI JOIN (SELECT label FROM labels SEMI JOIN started ON actor = node) USING (label)
)
SELECT actor FROM joined
UNION
SELECT device FROM seen SEMI JOIN joined ON actor = person_actor
