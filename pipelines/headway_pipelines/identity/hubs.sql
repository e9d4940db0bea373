-- Devices that were shared whatever aliases join, and therefore are: nobody's fate hangs on who else is there.
-- grain:  one row per device
-- inputs: earlier_links, core(device)
SELECT device
FROM earlier_links SEMI JOIN core USING (device)
WHERE other IS NULL
GROUP BY device
HAVING count(DISTINCT person_actor) > $most
