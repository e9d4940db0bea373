-- Devices of several users: only they and aliases can lead from one user to another.
-- grain:  one row per device
-- inputs: links
SELECT device
FROM links
WHERE other IS NULL
GROUP BY device
HAVING min(person_actor) <> max(person_actor)
