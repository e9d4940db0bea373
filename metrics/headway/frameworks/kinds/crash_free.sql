-- Sessions of each person, and those in which nothing failed.
--
-- grain:  one row per person and period in which a session of the person began.
-- inputs: base: sessions (crash_free_sessions.sql).
--         periods(grain, day, start_day): the periods of each local day.
-- y = sessions without a failure, x = sessions; a session is of the period in which it began.
SELECT
  base.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(base.us) AS at_us,
  sum(1 - base.failed) AS y,
  count(*) AS x
FROM base
INNER JOIN periods ON periods.day = base.day
GROUP BY base.person, periods.grain, periods.start_day
