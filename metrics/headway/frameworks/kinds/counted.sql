-- Two numbers of events or people per person and period: what a ratio divides, or a total adds up.
--
-- grain:  one row per person and period in which the person adds to either number.
-- inputs: ev(person, us, day, n, y_add, x_add): n events of a day, the first of them at us; y_add and x_add are null where
--         they do not count in the numerator, in the denominator.
--         periods(grain, day, start_day): the periods of each local day.
-- params: y_once, x_once: whether a person counts once per period, whatever the number of events.
SELECT
  ev.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(ev.us) AS at_us,
  CAST(CASE WHEN $y_once THEN max(CASE WHEN ev.y_add IS NULL THEN 0 ELSE 1 END) ELSE sum(CASE WHEN ev.y_add IS NULL THEN 0 ELSE ev.n END) END AS BIGINT) AS y,
  CAST(CASE WHEN $x_once THEN max(CASE WHEN ev.x_add IS NULL THEN 0 ELSE 1 END) ELSE sum(CASE WHEN ev.x_add IS NULL THEN 0 ELSE ev.n END) END AS BIGINT) AS x
FROM ev
INNER JOIN periods ON periods.day = ev.day
WHERE ev.y_add IS NOT NULL OR ev.x_add IS NOT NULL
GROUP BY ev.person, periods.grain, periods.start_day
