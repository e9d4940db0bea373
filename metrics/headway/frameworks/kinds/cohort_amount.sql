-- What people of a cohort add up to within a time from their first start.
--
-- grain:  one row per person who started and period that holds the start.
-- inputs: ev(person, us, day, is_start, y_add): events that are a start, add something, or both.
--         periods(grain, day, start_day): the periods of each local day.
-- params: closes: the window is start <= us < start + closes, in microseconds.
-- y = the person's sum in the window; who adds nothing is included with zero. Sums of fractions run in order of size, so
-- that equal rows give equal bits.
WITH starts AS (
  SELECT person, min(us) AS start_us, arg_min(day, us) AS day
  FROM ev
  WHERE is_start
  GROUP BY person
),
sums AS (
  SELECT
    starts.person AS person,
    min(starts.day) AS day,
    min(starts.start_us) AS start_us,
    coalesce(
      sum(ev.y_add ORDER BY ev.y_add) FILTER (
        WHERE ev.y_add <> 0 AND ev.us >= starts.start_us AND ev.us < starts.start_us + $closes
      ),
      0
    ) AS y
  FROM starts
  INNER JOIN ev ON ev.person = starts.person
  GROUP BY starts.person
)
SELECT
  sums.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  sums.start_us AS at_us,
  sums.y AS y,
  1 AS x
FROM sums
INNER JOIN periods ON periods.day = sums.day
