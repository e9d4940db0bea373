-- People who could use a released feature, whether they did, and what they had done before: what matching goes by.
--
-- grain:  one row per person who was there before the release and could use the feature soon after.
-- inputs: acts(person, day, is_used, is_eligible): see acts.sql.
--         units(person, start_day, y, x): what each person adds to the metric on each local day.
--         tally(person, day): days on which people did anything that metrics speak of.
--         everyone(code, channel, first_day): one row per person.
-- params: far, near, released, since, last: days on which the time long before, the time shortly before, the time to
--         adopt and the time after begin, and the last day.
-- arm = 1 for people who used it while there was time to adopt; those who had used it before are left out.
-- y0, x0: long before; y1, x1: shortly before; y2, x2: after.
WITH chosen AS (
  SELECT person, max(CASE WHEN is_used THEN 1 ELSE 0 END) AS arm
  FROM acts
  WHERE day >= $released AND day < $since
  GROUP BY person
),
earlier AS (
  SELECT DISTINCT person FROM acts WHERE is_used AND day < $released
),
did AS (
  SELECT
    person,
    sum(CASE WHEN start_day >= $far AND start_day < $near THEN y ELSE 0 END) AS y0,
    sum(CASE WHEN start_day >= $far AND start_day < $near THEN x ELSE 0 END) AS x0,
    sum(CASE WHEN start_day >= $near AND start_day < $released THEN y ELSE 0 END) AS y1,
    sum(CASE WHEN start_day >= $near AND start_day < $released THEN x ELSE 0 END) AS x1,
    sum(CASE WHEN start_day >= $since AND start_day <= $last THEN y ELSE 0 END) AS y2,
    sum(CASE WHEN start_day >= $since AND start_day <= $last THEN x ELSE 0 END) AS x2
  FROM units
  WHERE start_day >= $far AND start_day <= $last
  GROUP BY person
),
active AS (
  SELECT person, CAST(count(DISTINCT day) AS BIGINT) AS days
  FROM tally
  WHERE day >= $near AND day < $released
  GROUP BY person
)
SELECT
  everyone.channel AS channel,
  chosen.arm AS arm,
  CAST(coalesce(did.y0, 0) AS DOUBLE) AS y0,
  CAST(coalesce(did.x0, 0) AS DOUBLE) AS x0,
  CAST(coalesce(did.y1, 0) AS DOUBLE) AS y1,
  CAST(coalesce(did.x1, 0) AS DOUBLE) AS x1,
  CAST(coalesce(did.y2, 0) AS DOUBLE) AS y2,
  CAST(coalesce(did.x2, 0) AS DOUBLE) AS x2,
  CAST(coalesce(active.days, 0) AS DOUBLE) AS active_days,
  CAST(($released - everyone.first_day) // 7 AS DOUBLE) AS weeks_known
FROM chosen
INNER JOIN everyone ON everyone.code = chosen.person
LEFT JOIN did ON did.person = chosen.person
LEFT JOIN active ON active.person = chosen.person
WHERE everyone.first_day < $released AND NOT EXISTS (SELECT 1 FROM earlier WHERE earlier.person = chosen.person)
ORDER BY everyone.code
