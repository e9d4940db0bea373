-- How many people could use a released feature, tried it, and kept it.
--
-- grain:  one row.
-- inputs: acts(person, day, is_used, is_eligible): see acts.sql.
-- params: released, last: first and last day that counts; kept_days: days after first use from which on a further use
--         means that the person kept it; ripe: last day of a first use after which that could be seen.
-- eligible = people who could, or did; tried = those who did; ripe = those who first did long enough ago; kept = those
-- of them who used it again that long after.
WITH people AS (
  SELECT person, min(CASE WHEN is_used THEN day END) AS first_used, max(CASE WHEN is_used THEN day END) AS last_used
  FROM acts
  WHERE day >= $released AND day <= $last
  GROUP BY person
)
SELECT
  CAST(count(*) AS BIGINT) AS eligible,
  CAST(count(first_used) AS BIGINT) AS tried,
  CAST(count(*) FILTER (WHERE first_used <= $ripe) AS BIGINT) AS ripe,
  CAST(count(*) FILTER (WHERE first_used <= $ripe AND last_used >= first_used + $kept_days) AS BIGINT) AS kept
FROM people
