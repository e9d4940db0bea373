-- Promoters minus detractors among the last answers of the period.
--
-- grain:  one row per person and period in which the person answered.
-- inputs: ev(person, us, line, tie, day, score): answers with a score from 0 to 10; line, tie and, where even those
--         are equal, the score itself order answers of one instant.
--         periods(grain, day, start_day): the periods of each local day.
-- y = 1 (last score 9 or 10), -1 (0 to 6) or 0.
SELECT
  person,
  grain,
  start_day,
  at_us,
  CASE WHEN score >= 9 THEN 1 WHEN score <= 6 THEN -1 ELSE 0 END AS y,
  1 AS x
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
