-- People by their first start ever, and whether they reach a goal in a window after it, in the order of people.
--
-- grain:  one row per person who started.
-- inputs: people(person, day, moment, y): see cohort_people.sql.
SELECT person, day, moment, y
FROM people
ORDER BY person, day
