-- What each person adds, under the channel of the person's first touch.
--
-- grain:  one row per person and period.
-- inputs: units(person, grain, start_day, y, x): one row per person and period.
--         everyone(code, channel): one row per person.
SELECT everyone.channel AS label, units.person AS person, units.grain AS grain, units.start_day AS start_day, units.y AS y, units.x AS x
FROM units
INNER JOIN everyone ON everyone.code = units.person
