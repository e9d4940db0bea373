-- Who was seen on which device, where that may join them.
-- grain:  one row per device and person
-- inputs: seen, shared(device), crowded(actor)
SELECT *
FROM seen
ANTI JOIN shared USING (device)
ANTI JOIN crowded c ON c.actor = seen.device
ANTI JOIN crowded d ON d.actor = seen.person
