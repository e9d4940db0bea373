-- What each person adds to a running total, point by point: a point is a day at which the total is told.
--
-- grain:  one row per person and point since the one before, or since the total began, in which the person adds to it.
-- inputs: ev(person, us, day, n, y_add): what each of n like events of a day, the first of them at us, adds; null where it
--         does not count.
--         points(day, since_day, last_day): the point of each local day, and the day from which on its total counts.
-- params: once: whether a person counts once, at the first point, whatever the number of events.
--         added, together: sums of a day and of days; of fractions in order of size.
-- since_day and last_day stand where other kinds have a period, so that they are labelled and added up as those are.
-- x = 1 where the person is new to the total. All of it counts under the labels that held when the person first added to
-- the total: it never falls because somebody moved to another label. Sums of fractions run in order of size, so that
-- equal rows give equal bits.
WITH days AS (
  SELECT
    person,
    day,
    min(us) AS us,
    coalesce($added FILTER (WHERE y_add <> 0), 0) AS y
  FROM ev
  WHERE y_add IS NOT NULL
  GROUP BY person, day
),
stretches AS (
  SELECT
    days.person,
    points.since_day,
    points.last_day,
    min(days.us) AS us,
    CAST(coalesce($together FILTER (WHERE days.y <> 0), 0) AS DOUBLE) AS y
  FROM days
  INNER JOIN points ON points.day = days.day
  GROUP BY days.person, points.since_day, points.last_day
),
begun AS (
  SELECT
    person,
    since_day,
    last_day,
    y,
    min(us) OVER (PARTITION BY person, since_day) AS at_us,
    CASE WHEN last_day = min(last_day) OVER (PARTITION BY person, since_day) THEN 1.0 ELSE 0.0 END AS x
  FROM stretches
)
SELECT
  person,
  since_day AS grain,
  last_day AS start_day,
  at_us,
  CASE WHEN $once THEN CAST(x AS DOUBLE) ELSE y END AS y,
  CAST(x AS DOUBLE) AS x
FROM begun
