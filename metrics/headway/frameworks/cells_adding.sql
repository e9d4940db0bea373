-- What people add in fractions, of those who add something.
--
-- grain:  one row per person and period.
-- inputs: units(profile, grain, start_day, y, x): what each person adds.
-- params: adds: whether somebody adds something.
SELECT profile, grain, start_day, CAST(y AS DOUBLE) AS y, CAST(x AS DOUBLE) AS x
FROM units
WHERE $adds
