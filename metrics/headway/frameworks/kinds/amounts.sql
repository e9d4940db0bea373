-- Two amounts per person and period: what a ratio divides, or a total adds up.
--
-- grain:  one row per person and period in which the person adds to either amount.
-- inputs: ev(person, us, day, n, y_add, x_add): what each of n like events, the first of them at us, adds to the numerator
--         and to the denominator, null where it does not count there.
--         periods(grain, day, start_day): the periods of each local day.
-- params: y_once_a_day, y_once, x_once_a_day, x_once: whether an amount counts once per person and day (active days),
--         or once per person and period (people), whatever the number of events.
-- Sums of fractions run in order of size, so that equal rows give equal bits; zeros change nothing.
WITH days AS (
  SELECT
    person,
    day,
    min(us) AS at_us,
    count(y_add) AS ys,
    count(x_add) AS xs,
    coalesce(sum(n * y_add ORDER BY y_add) FILTER (WHERE y_add <> 0), 0) AS y,
    coalesce(sum(n * x_add ORDER BY x_add) FILTER (WHERE x_add <> 0), 0) AS x
  FROM ev
  WHERE y_add IS NOT NULL OR x_add IS NOT NULL
  GROUP BY person, day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  CASE
    WHEN $y_once THEN CAST(max(CASE WHEN days.ys > 0 THEN 1 ELSE 0 END) AS DOUBLE)
    WHEN $y_once_a_day THEN CAST(sum(CASE WHEN days.ys > 0 THEN 1 ELSE 0 END) AS DOUBLE)
    ELSE coalesce(sum(days.y ORDER BY days.y) FILTER (WHERE days.y <> 0), 0)
  END AS y,
  CASE
    WHEN $x_once THEN CAST(max(CASE WHEN days.xs > 0 THEN 1 ELSE 0 END) AS DOUBLE)
    WHEN $x_once_a_day THEN CAST(sum(CASE WHEN days.xs > 0 THEN 1 ELSE 0 END) AS DOUBLE)
    ELSE coalesce(sum(days.x ORDER BY days.x) FILTER (WHERE days.x <> 0), 0)
  END AS x
FROM days
INNER JOIN periods ON periods.day = days.day
GROUP BY days.person, periods.grain, periods.start_day
