-- Devices of more people than one device has.
-- grain:  one row per shared device
-- inputs: seen
SELECT device FROM seen GROUP BY device HAVING count(person) > $most
