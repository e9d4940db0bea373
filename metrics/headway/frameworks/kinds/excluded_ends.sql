-- How many things ended before anything began them.
--
-- grain:  one row.
-- inputs: ev(us, line, tie, key, is_start, is_end): events that start or end something; line and tie order events of one
--         instant, and events without a key are none of these.
SELECT count(*) AS n_events
FROM (
  SELECT
    is_end,
    coalesce(
      bool_or(is_start) OVER (PARTITION BY key ORDER BY us, line, tie ROWS UNBOUNDED PRECEDING), FALSE
    ) AS has_begun
  FROM ev
  WHERE key IS NOT NULL
) AS steps
WHERE is_end AND NOT has_begun
