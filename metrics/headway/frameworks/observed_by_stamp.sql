-- Observations, each with the profile that its instant is stamped with.
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
  at_us,
  CAST(at_us % $width AS INTEGER) AS profile
FROM sized
