-- What each person adds, and the group of people that the person belongs to.
--
-- grain:  one row per person and period in which the person adds anything.
-- inputs: units(person, grain, start_day, y, x, profile): one row per person and period.
--         members(person, member): the group of every person.
SELECT
  units.profile AS profile,
  units.grain AS grain,
  units.start_day AS start_day,
  CAST(units.y AS DOUBLE) AS y,
  CAST(units.x AS DOUBLE) AS x,
  members.member AS member
FROM units
INNER JOIN members ON members.person = units.person
