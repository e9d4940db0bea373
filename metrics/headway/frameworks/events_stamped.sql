-- Events of interest, with the profile that their people had then.
--
-- grain:  one row per row of unstamped.
-- inputs: unstamped(_person, _us, and others): see prelude.sql.
--         profiles (person, since_us, until_us, profile): of each person all time, without overlap.
-- params: origin: an instant before all others; width: more than any profile's number.
-- _at = the instant and the profile that the person had at it, in one number that orders as instants do: the least of them
-- is the first instant and says which profile held then.
SELECT unstamped.*, (unstamped._us - $origin) * $width + profiles.profile AS _at
FROM unstamped
INNER JOIN profiles
  ON profiles.person = unstamped._person AND profiles.since_us <= unstamped._us AND profiles.until_us > unstamped._us
