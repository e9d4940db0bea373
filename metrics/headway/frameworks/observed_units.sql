-- Observations under every period that holds them.
--
-- grain:  one row per observation and period.
-- inputs: sized(person, at_us, day, value, censored): one row per observation; censored = 1 where it is not over yet.
--         periods(grain, day, start_day): the periods of each local day.
-- y and x stand for value and censored, so that observations are labelled as sums are. All observations of a person in a
-- period count under the labels of the first one.
WITH placed AS (
  SELECT
    days.person AS person,
    periods.grain AS grain,
    periods.start_day AS start_day,
    min(days.at_us) AS at_us
  FROM (SELECT person, day, min(at_us) AS at_us FROM sized GROUP BY person, day) AS days
  INNER JOIN periods ON periods.day = days.day
  GROUP BY days.person, periods.grain, periods.start_day
)
SELECT
  placed.person AS person,
  placed.grain AS grain,
  placed.start_day AS start_day,
  placed.at_us AS at_us,
  sized.value AS y,
  sized.censored AS x
FROM sized
INNER JOIN periods ON periods.day = sized.day
INNER JOIN placed
  ON placed.person = sized.person AND placed.grain = periods.grain AND placed.start_day = periods.start_day
