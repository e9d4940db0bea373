-- Devices that were shared whatever aliases join, and therefore are: nobody's fate hangs on who else is there.
-- grain:  one row per device
-- inputs: earlier_links, links, core(device)
-- a vendor's number of a person counts for no user
SELECT device
FROM earlier_links SEMI JOIN core USING (device)
WHERE other IS NULL AND person_actor NOT IN (SELECT person_actor FROM links WHERE device IS NULL)
GROUP BY device
HAVING count(DISTINCT person_actor) > $most
