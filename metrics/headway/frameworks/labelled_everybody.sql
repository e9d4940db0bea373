-- What each person adds, under one label for everybody.
--
-- grain:  one row per person and period.
-- inputs: units(person, grain, start_day, y, x): one row per person and period.
SELECT 'all' AS label, person, grain, start_day, y, x
FROM units
