-- Observations under every period that holds them.
--
-- grain:  one row per observation and period.
-- inputs: sized(person, at_us, day, value, censored): one row per observation; censored = 1 where it is not over yet.
--         periods(grain, day, start_day): the periods of each local day.
-- y and x stand for value and censored, so that observations are labelled as sums are.
SELECT
  sized.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  sized.at_us AS at_us,
  sized.value AS y,
  sized.censored AS x
FROM sized
INNER JOIN periods ON periods.day = sized.day
