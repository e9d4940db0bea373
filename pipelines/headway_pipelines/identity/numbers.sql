-- Ids that are no users but a vendor's own numbers of people.
-- grain:  one row per number
-- inputs: links
SELECT DISTINCT person_actor AS actor FROM links WHERE device IS NULL
