-- Devices of these people that others were seen on too.
-- grain:  one row per device
-- inputs: links, members(id), persons(person), device_spans
SELECT device AS id FROM links
WHERE other IS NULL AND device IN (FROM members) AND person_actor NOT IN (FROM members)
UNION
SELECT actor FROM device_spans WHERE actor IN (FROM members) AND person NOT IN (FROM persons)
UNION
-- somebody else's but for a while
SELECT actor FROM device_spans WHERE actor NOT IN (FROM members) AND person IN (FROM persons)
ORDER BY id
