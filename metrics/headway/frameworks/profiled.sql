-- What each person adds, under the profile that the person had at the instant that counts.
--
-- grain:  one row per person and period.
-- inputs: units   (person, grain, start_day, at_us, y, x): one row per person and period.
--         profiles(person, since_us, until_us, profile): of each person all time, without overlap.
SELECT units.person AS person, units.grain AS grain, units.start_day AS start_day, units.y AS y, units.x AS x, profiles.profile AS profile
FROM units
INNER JOIN profiles
  ON profiles.person = units.person AND profiles.since_us <= units.at_us AND profiles.until_us > units.at_us
