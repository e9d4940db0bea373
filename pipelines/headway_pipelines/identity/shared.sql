-- Devices of more people than one device has.
-- grain:  one row per shared device
-- inputs: seen, numbers(actor)
-- a number that no user is joined to is nobody who could share
SELECT device FROM seen GROUP BY device HAVING count(person) FILTER (person NOT IN (FROM numbers)) > $most
