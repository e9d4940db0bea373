-- One part of the recurring revenue of a person's accounts.
--
-- grain:  one row per person and month in which an account of the person's adds to what is asked for.
-- inputs: base: the bridge of every account and month (mrr_bridge.sql).
-- params: top, bottom: columns of the bridge that count in the numerator and in the denominator.
SELECT
  person,
  'month' AS grain,
  start_day,
  min(at_us) AS at_us,
  -- in order of size, so that equal accounts give equal bits
  CAST(sum($top ORDER BY $top) AS DOUBLE) AS y,
  CAST(sum($bottom ORDER BY $bottom) AS DOUBLE) AS x
FROM base
WHERE $top <> 0 OR $bottom <> 0
GROUP BY person, start_day
