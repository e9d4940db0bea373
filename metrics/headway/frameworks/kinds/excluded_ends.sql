-- How many things ended before anything began them.
--
-- grain:  one row.
-- inputs: ev(us, line, tie, key, is_end): events that start or end something.
SELECT count(*) AS n_events
FROM (
  SELECT is_end, lag(us) OVER (PARTITION BY key ORDER BY us, line, tie) AS before_us
  FROM ev
  WHERE key IS NOT NULL
) AS steps
WHERE is_end AND before_us IS NULL
