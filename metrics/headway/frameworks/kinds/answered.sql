-- Starts of people whose first one was answered in time, or of those whose was not.
--
-- grain:  one row per row of started.
-- inputs: started(person, us, day, is_goal): starts of a day, the first of them at us, and whether they are goals too.
--         intervals(person, at_us, until_us): from each start to its answer; until_us is null while there is none.
--         shifts(opens_us, closes_us, before_us): working days, and the time worked before each of them.
-- params: in_business_hours: whether time passes in working hours only.
--         limit: the time that is in time, microseconds.
--         in_time: whether those are kept who had their answer in time, or the others.
WITH first_start AS (
  SELECT person, min(at_us) AS at_us, arg_min(until_us, at_us) AS until_us
  FROM (SELECT person, at_us, coalesce(until_us, 9000000000000000000) AS until_us FROM intervals) AS ended
  GROUP BY person
),
worked AS (
  SELECT
    first_start.person AS person,
    first_start.until_us - first_start.at_us AS elapsed_us,
    first_start.until_us AS until_us,
    begun.before_us + least(first_start.at_us, begun.closes_us) - begun.opens_us AS worked_at_us,
    ended.before_us + least(first_start.until_us, ended.closes_us) - ended.opens_us AS worked_until_us
  FROM first_start
  ASOF LEFT JOIN shifts AS begun ON begun.opens_us <= first_start.at_us
  ASOF LEFT JOIN shifts AS ended ON ended.opens_us <= first_start.until_us
),
judged AS (
  SELECT
    person,
    until_us < 9000000000000000000 AND CASE
      WHEN $in_business_hours THEN coalesce(worked_until_us, 0) - coalesce(worked_at_us, 0)
      ELSE elapsed_us
    END <= $limit AS is_in_time
  FROM worked
)
SELECT started.*
FROM started
SEMI JOIN (SELECT person FROM judged WHERE is_in_time = $in_time) AS kept ON kept.person = started.person
