-- What events add to a sum, in the order of people and days.
--
-- grain:  one row per event that adds something, be it 0.
-- inputs: ev(person, moment, day, y_add): what each event adds; null where it does not count.
SELECT person, day, moment, CAST(y_add AS DOUBLE) AS y
FROM ev
WHERE y_add IS NOT NULL
ORDER BY person, day
