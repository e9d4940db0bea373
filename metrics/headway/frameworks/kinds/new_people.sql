-- People whose first event ever falls in the period.
--
-- grain:  one row per person and period that holds the person's first event.
-- inputs: first_seen(person, us, local_us): one row per person, the instant of the first event ever and the same on
--         the local clock, in microseconds since 1970.
--         periods(grain, day, start_day): the periods of each local day.
-- y = 1 for everybody. 700000 days keep the division, which cuts towards zero, away from negative numbers.
SELECT
  first_seen.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  first_seen.us AS at_us,
  1 AS y,
  1 AS x
FROM first_seen
INNER JOIN periods ON periods.day = (first_seen.local_us + 700000 * 86400000000) // 86400000000 - 700000
