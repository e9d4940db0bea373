-- Of the people whose first start ever falls in the period, those who reach a goal in a window after it.
--
-- grain:  one row per person who started and period that holds the start.
-- inputs: started(person, us, day, is_goal): starts of a day, the first of them at us, and whether they are goals too.
--         ev(person, us): goals.
--         periods(grain, day, start_day): the periods of each local day.
-- params: opens, closes: the window is start + opens <= us < start + closes, in microseconds.
-- y = 1 if a goal lies in the window, else 0. The goal is another event than the start: where one event is both, it
-- needs a second event at the start's instant or a later goal.
WITH starts AS (
  SELECT
    person,
    min(us) AS start_us,
    arg_min(day, us) AS day,
    -- whether something at the start's instant starts and is no goal
    coalesce(min(CASE WHEN NOT is_goal THEN us END) = min(us), FALSE) AS is_apart
  FROM started
  GROUP BY person
),
reached AS (
  SELECT starts.person AS person, count(*) AS goals
  FROM starts
  INNER JOIN ev ON ev.person = starts.person
  WHERE ev.us >= starts.start_us + $opens AND ev.us < starts.start_us + $closes
  GROUP BY starts.person
)
SELECT
  starts.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  starts.start_us AS at_us,
  CASE WHEN reached.goals >= 2 OR (reached.goals = 1 AND ($opens > 0 OR starts.is_apart)) THEN 1 ELSE 0 END AS y,
  1 AS x
FROM starts
INNER JOIN periods ON periods.day = starts.day
LEFT JOIN reached ON reached.person = starts.person
