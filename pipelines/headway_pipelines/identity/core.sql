-- Devices of several users, be they seen there or said to be the device: only they and aliases can lead from one user
-- to another.
-- grain:  one row per device
-- inputs: links
SELECT device
FROM links
GROUP BY device
HAVING min(person_actor) <> max(person_actor)
