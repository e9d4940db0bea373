-- What people did on each day, with the profile that each of them had then.
--
-- grain:  one row per row of tally.
-- inputs: tally   (_person, _us, and others): see tally.sql.
--         profiles(person, since_us, until_us, profile): of each person all time, without overlap.
-- params: origin: an instant before all others; width: more than any profile's number.
-- _at = the instant and the profile that the person had at it, in one number that orders as instants do: the least of them
-- is the first instant and says which profile held then.
SELECT tally.*, (tally._us - $origin) * $width + profiles.profile AS _at
FROM tally
INNER JOIN profiles
  ON profiles.person = tally._person AND profiles.since_us <= tally._us AND profiles.until_us > tally._us
