-- Observations in the order of people and time, each with the profile that the person had then.
--
-- grain:  one row per observation.
-- inputs: sized(person, at_us, day, value, is_open): one row per observation, and whether it is not over yet.
--         profiles(person, since_us, until_us, profile): of each person all time, without overlap.
SELECT
  sized.person AS person,
  sized.day AS day,
  CAST(sized.value AS DOUBLE) AS value,
  sized.is_open AS is_open,
  profiles.profile AS profile
FROM sized
INNER JOIN profiles
  ON profiles.person = sized.person AND profiles.since_us <= sized.at_us AND profiles.until_us > sized.at_us
ORDER BY sized.person, sized.at_us, sized.value, sized.is_open
