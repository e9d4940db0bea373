-- What each person who did one thing in the period did of another: whether, or how often.
--
-- grain:  one row per person and period in which the person did `of`.
-- inputs: ev(person, us, day, n, is_of, is_counted): n events of a day, the first of them at us, that are `of`, are
--         counted, or both.
--         periods(grain, day, start_day): the periods of each local day.
-- params: once: whether a period counts once however many events it has. The order of the two things does not matter.
-- y = the person's number; people without a counted event are included with zero.
SELECT
  ev.person AS person,
  periods.grain AS grain,
  periods.start_day AS start_day,
  min(CASE WHEN ev.is_of THEN ev.us END) AS at_us,
  CASE
    WHEN $once THEN max(CASE WHEN ev.is_counted THEN 1 ELSE 0 END)
    ELSE CAST(sum(CASE WHEN ev.is_counted THEN ev.n ELSE 0 END) AS BIGINT)
  END AS y,
  1 AS x
FROM ev
INNER JOIN periods ON periods.day = ev.day
GROUP BY ev.person, periods.grain, periods.start_day
HAVING min(CASE WHEN ev.is_of THEN ev.us END) IS NOT NULL
