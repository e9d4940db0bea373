-- The profiles of every person from an instant on, by the person's own id.
--
-- grain:  one row per person and stretch of time in which no label changes.
-- inputs: people  (person UUID, code): one row per person.
--         profiles(person, since_us, until_us, profile): of each person, by code, all time, without overlap.
-- params: since: the first instant that is looked at, microseconds since 1970 UTC.
SELECT people.person AS person, people.code AS code, profiles.since_us AS since_us, profiles.until_us AS until_us, profiles.profile AS profile
FROM people
INNER JOIN profiles ON profiles.person = people.code
WHERE profiles.until_us > $since
