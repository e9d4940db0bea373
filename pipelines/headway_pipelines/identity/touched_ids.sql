-- Ids of which something is new that may decide who they are.
-- grain:  one row per id
-- inputs: moved_actors(actor), newly_described(actor), links_moved, leaders_before(device, leader), leaders_after(device, leader)
-- a later sighting of whoever was seen last anyway, on a device without log-outs, decides nothing
WITH deciding AS (
    FROM links_moved m
    WHERE starts OR NOT EXISTS (
        FROM leaders_before b JOIN leaders_after a USING (device, leader)
        WHERE device = m.device
    )
)
SELECT actor FROM moved_actors
UNION SELECT actor FROM newly_described
UNION SELECT device FROM deciding
UNION SELECT other FROM deciding WHERE other IS NOT NULL
UNION SELECT person_actor FROM deciding WHERE person_actor IS NOT NULL
