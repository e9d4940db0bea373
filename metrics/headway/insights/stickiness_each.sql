-- Stickiness of each larger period. Grain: one row per larger period and number of smaller ones, from 1 to all of them.
-- Inputs: activity, slots (the smaller periods of the range), calendar (the larger ones).
-- Meaning: people active in exactly that many smaller periods that begin in the larger one, and in at least as many.
WITH placed AS (
  SELECT slots.period, calendar.period AS larger
  FROM slots
  INNER JOIN calendar ON slots.first_day >= calendar.first_day AND slots.first_day <= calendar.last_day
),
counted AS (
  SELECT larger, periods, count(*) AS people
  FROM (
    SELECT placed.larger, activity.person, count(*) AS periods
    FROM activity
    INNER JOIN placed ON placed.period = activity.period
    GROUP BY placed.larger, activity.person
  )
  GROUP BY larger, periods
),
numbered AS (
  SELECT larger, row_number() OVER (PARTITION BY larger ORDER BY period) AS number
  FROM placed
)
SELECT
  calendar.period_start,
  numbered.number AS periods,
  coalesce(counted.people, 0) AS people,
  CAST(
    sum(coalesce(counted.people, 0)) OVER (PARTITION BY calendar.period ORDER BY numbered.number DESC) AS BIGINT
  ) AS at_least,
  CASE WHEN calendar.ends_us <= $observed_us THEN TRUE ELSE FALSE END AS complete
FROM numbered
INNER JOIN calendar ON calendar.period = numbered.larger
LEFT JOIN counted ON counted.larger = numbered.larger AND counted.periods = numbered.number
ORDER BY calendar.period_start, numbered.number
