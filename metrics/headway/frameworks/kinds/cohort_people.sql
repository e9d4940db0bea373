-- People by their first start ever, and whether they reach a goal in a window after it.
--
-- grain:  one row per person who started.
-- inputs: started(person, us, moment, day, is_goal): starts of a day, the first of them at us (moment: the same, perhaps
--         stamped), and whether they are goals too.
--         ev(person, us): goals.
-- params: opens, closes: the window is start + opens <= us < start + closes, in microseconds.
-- y = 1 if a goal lies in the window, else 0. The goal is another event than the start: where one event is both, it
-- needs a second event at the start's instant or a later goal.
WITH starts AS (
  SELECT
    person,
    min(us) AS start_us,
    min(moment) AS moment,
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
  starts.day AS day,
  starts.start_us AS start_us,
  starts.moment AS moment,
  CASE WHEN reached.goals >= 2 OR (reached.goals = 1 AND ($opens > 0 OR starts.is_apart)) THEN 1 ELSE 0 END AS y
FROM starts
LEFT JOIN reached ON reached.person = starts.person
