-- Events of which all must be at hand, as they were known before, of days that are not read.
--
-- grain:  one event.
-- inputs: known   (who UUID, part, _day, and all that an event carries but its person's code): see needed.sql.
--         everyone(person UUID, code INTEGER): one row per person.
-- params: read: whether known._day is read.
SELECT everyone.code AS _person, known.* EXCLUDE (who, part)
FROM known
INNER JOIN everyone ON everyone.person = known.who
WHERE NOT $read
