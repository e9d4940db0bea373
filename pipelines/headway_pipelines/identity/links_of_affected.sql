-- The links that decide about the affected; of a hub they know, all links, so that it is seen to be one.
-- grain:  as some_links
-- inputs: some_links, affected(actor), near_hubs(device)
SELECT *
FROM some_links
WHERE device IN (FROM affected)
    OR person_actor IN (FROM affected)
    OR other IN (FROM affected)
    OR (other IS NULL AND device IN (FROM near_hubs))
