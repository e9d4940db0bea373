-- Values of events, as they are.
--
-- grain:  one row per event with a value.
-- inputs: ev(person, moment, day, value).
SELECT person, moment AS at_us, day, CAST(value AS DOUBLE) AS value, FALSE AS is_open
FROM ev
WHERE value IS NOT NULL
