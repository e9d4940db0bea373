-- Observations in the order of people and time, each with the profile that the person had then.
--
-- grain:  one row per observation.
-- inputs: sized(person, at_us, day, value, censored): one row per observation; censored = 1 where it is not over yet.
--         profiles(person, since_us, until_us, profile): of each person all time, without overlap.
SELECT
  sized.person AS person,
  sized.day AS day,
  CAST(sized.value AS DOUBLE) AS value,
  sized.censored <> 0 AS is_open,
  profiles.profile AS profile
FROM sized
INNER JOIN profiles
  ON profiles.person = sized.person AND profiles.since_us <= sized.at_us AND profiles.until_us > sized.at_us
ORDER BY sized.person, sized.at_us, sized.value, sized.censored
