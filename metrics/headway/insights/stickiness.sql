-- Stickiness. Grain: one row per number of periods, from 1 to all of them.
-- Inputs: activity, calendar (one row per period of the range).
-- Meaning: people active in exactly that many periods of the range, and in at least as many.
SELECT
  slots.number AS periods,
  coalesce(exact.people, 0) AS people,
  CAST(sum(coalesce(exact.people, 0)) OVER (ORDER BY slots.number DESC) AS BIGINT) AS at_least
FROM (SELECT period - $first + 1 AS number FROM calendar) AS slots
LEFT JOIN (
  SELECT periods, count(*) AS people
  FROM (
    SELECT person, count(*) AS periods
    FROM activity
    WHERE period >= $first AND period <= $last
    GROUP BY person
  )
  GROUP BY periods
) AS exact ON exact.periods = slots.number
ORDER BY slots.number
