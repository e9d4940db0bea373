-- What each person adds, under the profile that the instant that counts is stamped with.
--
-- grain:  one row per person and period.
-- inputs: units(person, grain, start_day, at_us, y, x): one row per person and period; at_us as prelude_stamped.sql makes it.
-- params: width: more than any profile's number.
SELECT person, grain, start_day, y, x, CAST(at_us % $width AS INTEGER) AS profile
FROM units
