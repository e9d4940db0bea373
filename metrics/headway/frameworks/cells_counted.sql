-- What is whole of sums over people that are fractions otherwise, by profile and period.
--
-- grain:  one row per profile, kind of period and period that holds anybody.
-- inputs: units(profile, grain, start_day, y, x): what each person adds; y in fractions.
-- params: x: the column x, or 0 where that is in fractions, too.
-- n = people; contributors = those of them who add something to the numerator.
SELECT
  profile,
  grain,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum($x) AS DOUBLE) AS x,
  CAST(sum($x * $x) AS DOUBLE) AS xx,
  CAST(count(*) FILTER (WHERE y <> 0) AS BIGINT) AS contributors
FROM units
GROUP BY profile, grain, start_day
