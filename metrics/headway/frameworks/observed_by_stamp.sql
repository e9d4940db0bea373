-- Observations in the order of people and time, each with the profile that its instant is stamped with.
--
-- grain:  one row per observation.
-- inputs: sized(person, at_us, day, value, is_open): one row per observation, and whether it is not over yet; at_us as
--         prelude_stamped.sql makes it.
-- params: width: more than any profile's number.
SELECT
  person,
  day,
  CAST(value AS DOUBLE) AS value,
  is_open,
  CAST(at_us % $width AS INTEGER) AS profile
FROM sized
ORDER BY person, at_us, value, is_open
