-- Active days of each active person, and the days there were.
--
-- grain:  one row per person and period in which the person was active.
-- inputs: ev(person, us, day): events that make active.
--         periods(grain, day, start_day): the periods of each local day of the log.
-- y = days on which the person was active, x = days of the period that the log covers.
WITH spans AS (
  SELECT grain, start_day, count(*) AS days
  FROM periods
  GROUP BY grain, start_day
)
SELECT
  days.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(days.at_us) AS at_us,
  count(*) AS y,
  min(spans.days) AS x
FROM (SELECT person, day, min(us) AS at_us FROM ev GROUP BY person, day) AS days
INNER JOIN periods ON periods.day = days.day
INNER JOIN spans ON spans.grain = periods.grain AND spans.start_day = periods.start_day
GROUP BY days.person, periods.grain, periods.start_day
