-- What is observed of each person in each period.
--
-- grain:  one row per person and period with an observation.
-- inputs: sized(person, at_us, day, value, censored): one row per observation; censored = 1 where it is not over yet.
--         periods(grain, day, start_day): the periods of each local day.
-- y and x stand for the observations and their number, so that they are labelled as sums are. All observations of a person
-- in a period count under the labels of the first one.
SELECT
  sized.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(sized.at_us) AS at_us,
  list({'value': CAST(sized.value AS DOUBLE), 'is_open': sized.censored <> 0}) AS y,
  count(*) AS x
FROM sized
INNER JOIN periods ON periods.day = sized.day
GROUP BY sized.person, periods.grain, periods.start_day
