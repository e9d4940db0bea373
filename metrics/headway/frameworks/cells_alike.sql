-- Sums over people, by label and period, where everybody counts once in the denominator.
--
-- grain:  one row per label, kind of period and period that holds anybody.
-- inputs: labelled(label VARCHAR, grain, start_day, y): what each person adds, in whole numbers.
-- n = people; contributors = those of them who add something to the numerator. x = 1 for everybody, so that its sums are n.
SELECT
  label,
  grain,
  start_day,
  CAST(count(*) AS BIGINT) AS n,
  CAST(sum(y) AS DOUBLE) AS y,
  CAST(sum(y * y) AS DOUBLE) AS yy,
  CAST(count(*) AS DOUBLE) AS x,
  CAST(count(*) AS DOUBLE) AS xx,
  CAST(sum(y) AS DOUBLE) AS xy,
  CAST(count(*) FILTER (WHERE y <> 0) AS BIGINT) AS contributors
FROM labelled
GROUP BY label, grain, start_day
