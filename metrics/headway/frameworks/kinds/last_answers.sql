-- The last answer of each person in the period.
--
-- grain:  one row per person and period in which the person answered.
-- inputs: ev(person, us, line, tie, day, score, worth): answers that count, and what each is worth; line, tie and, where
--         even those are equal, the score itself order answers of one instant.
--         periods(grain, day, start_day): the periods of each local day.
SELECT
  ev.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(ev.us) AS at_us,
  arg_max(ev.worth, row(ev.us, ev.line, ev.tie, ev.score)) AS y,
  1 AS x
FROM ev
INNER JOIN periods ON periods.day = ev.day
GROUP BY ev.person, periods.grain, periods.start_day
