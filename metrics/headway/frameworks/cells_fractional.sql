-- Sums over people, by label and period: all a value and its interval are made of.
--
-- grain:  one row per label, kind of period and period that holds anybody.
-- inputs: labelled(label VARCHAR, grain, start_day, y, x): what each person adds, in fractions.
-- n = people; contributors = those of them who add something to the numerator.
-- Sums of fractions run in order of size, so that equal rows give equal bits whatever order they are read in; zeros
-- are left out of them, which changes nothing.
SELECT
  label,
  grain,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(coalesce(sum(y ORDER BY y) FILTER (WHERE y <> 0), 0) AS DOUBLE) AS y,
  CAST(coalesce(sum(y * y ORDER BY y * y) FILTER (WHERE y <> 0), 0) AS DOUBLE) AS yy,
  CAST(coalesce(sum(x ORDER BY x) FILTER (WHERE x <> 0), 0) AS DOUBLE) AS x,
  CAST(coalesce(sum(x * x ORDER BY x * x) FILTER (WHERE x <> 0), 0) AS DOUBLE) AS xx,
  CAST(coalesce(sum(x * y ORDER BY x * y) FILTER (WHERE x <> 0 AND y <> 0), 0) AS DOUBLE) AS xy,
  CAST(count(*) FILTER (WHERE y <> 0) AS BIGINT) AS contributors
FROM labelled
GROUP BY label, grain, start_day
