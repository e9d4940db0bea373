-- Links that were known of devices, and marks of numbers, that new links speak of.
-- grain:  as earlier_links
-- inputs: earlier_links, fresh
FROM earlier_links SEMI JOIN fresh USING (device)
UNION ALL
FROM (FROM earlier_links WHERE device IS NULL) SEMI JOIN (FROM fresh WHERE device IS NULL) USING (person_actor)
