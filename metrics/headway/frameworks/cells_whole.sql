-- Sums over people, by profile and period: all a value and its interval are made of.
--
-- grain:  one row per profile, kind of period and period that holds anybody.
-- inputs: units(profile, grain, start_day, y, perhaps x): what each person adds, in whole numbers.
-- params: x: the column x, or 1 where everybody counts once in the denominator.
-- n = people; contributors = those of them who add something to the numerator: a sum over few of them speaks of few,
-- however many n is.
SELECT
  profile,
  grain,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(y) AS DOUBLE) AS y,
  CAST(sum(y * y) AS DOUBLE) AS yy,
  CAST(sum($x) AS DOUBLE) AS x,
  CAST(sum($x * $x) AS DOUBLE) AS xx,
  CAST(sum($x * y) AS DOUBLE) AS xy,
  CAST(count(*) FILTER (WHERE y <> 0) AS BIGINT) AS contributors
FROM units
GROUP BY profile, grain, start_day
