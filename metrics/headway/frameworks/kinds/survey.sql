-- The last answer of each person in the period.
--
-- grain:  one row per person and period in which the person answered on the scale.
-- inputs: ev(person, us, line, tie, day, score): answers on the scale; line, tie and, where even those are equal, the
--         score itself order answers of one instant.
--         periods(grain, day, start_day): the periods of each local day.
-- params: top: what an answer is worth, an expression over score.
SELECT person, grain, start_day, at_us, $top AS y, 1 AS x
FROM (
  SELECT
    ev.person AS person,
    periods.grain AS grain,
    periods.start_day AS start_day,
    min(ev.us) AS at_us,
    arg_max(ev.score, row(ev.us, ev.line, ev.tie, ev.score)) AS score
  FROM ev
  INNER JOIN periods ON periods.day = ev.day
  GROUP BY ev.person, periods.grain, periods.start_day
) AS last_answers
