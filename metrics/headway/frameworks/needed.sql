-- Events of which all must be at hand, whatever their day.
--
-- grain:  one event.
-- inputs: log     (_person, _day, _us, _line, _tie, bits, and the properties metrics add up or group by): events of all days.
--         everyone(person UUID, code INTEGER): one row per person.
-- params: part: the part of the log that log._day lies in; wanted: which events these are.
-- who = the person: codes are other ones when others come.
SELECT everyone.person AS who, CAST($part AS INTEGER) AS part, log.* EXCLUDE (_person)
FROM log
INNER JOIN everyone ON everyone.code = log._person
WHERE $wanted
