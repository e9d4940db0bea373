-- Of the people whose first start ever falls in the period, those who reach a goal in a window after it.
--
-- grain:  one row per person who started and period that holds the start.
-- inputs: people(person, day, start_us, y): who started when, and whether they reach the goal (cohort_people.sql).
--         periods(grain, day, start_day): the periods of each local day.
SELECT
  people.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  people.start_us AS at_us,
  people.y AS y,
  1 AS x
FROM people
INNER JOIN periods ON periods.day = people.day
