-- Of the people whose first start ever falls in the period, those who reach a goal in a window after it.
--
-- grain:  one row per person who started and period that holds the start.
-- inputs: ev(person, us, day, is_start, is_goal): events that are a start, a goal, or both.
--         periods(grain, day, start_day): the periods of each local day.
-- params: opens, closes: the window is start + opens <= us < start + closes, in microseconds.
-- y = 1 if a goal lies in the window, else 0. The goal is another event than the start: where one event is both, it
-- needs a second event at the start's instant or a later goal.
WITH starts AS (
  SELECT person, min(us) AS start_us, arg_min(day, us) AS day
  FROM ev
  WHERE is_start
  GROUP BY person
),
reached AS (
  SELECT
    starts.person AS person,
    min(starts.day) AS day,
    min(starts.start_us) AS start_us,
    sum(
      CASE WHEN ev.is_goal AND ev.us >= starts.start_us + $opens AND ev.us < starts.start_us + $closes THEN 1
      ELSE 0 END
    ) AS goals,
    sum(CASE WHEN NOT ev.is_goal AND ev.us = starts.start_us THEN 1 ELSE 0 END) AS other_starts
  FROM starts
  INNER JOIN ev ON ev.person = starts.person
  GROUP BY starts.person
)
SELECT
  reached.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  reached.start_us AS at_us,
  CASE WHEN reached.goals >= 1 AND ($opens > 0 OR reached.goals + reached.other_starts >= 2) THEN 1 ELSE 0 END AS y,
  1 AS x
FROM reached
INNER JOIN periods ON periods.day = reached.day
