-- How people come, stay, leave and come back, from period to period.
--
-- grain:  one row per person, period and move that the person makes in it.
-- inputs: ev(person, us, day): events that make active.
--         periods(grain, day, start_day): the periods of each local day, the same without overlap.
-- new = first active period ever; returning = active one period before as well; resurrected = active again after a gap;
-- dormant = active one period before and not now; kept = active one period before and now.
WITH steps AS (
  SELECT grain, start_day, row_number() OVER (PARTITION BY grain ORDER BY start_day) AS number
  FROM (SELECT DISTINCT grain, start_day FROM periods) AS distinct_periods
),
activity AS (
  SELECT ev.person AS person, steps.grain AS grain, steps.number AS number, min(ev.us) AS at_us
  FROM (SELECT person, day, min(us) AS us FROM ev GROUP BY person, day) AS ev
  INNER JOIN periods ON periods.day = ev.day
  INNER JOIN steps ON steps.grain = periods.grain AND steps.start_day = periods.start_day
  GROUP BY ev.person, steps.grain, steps.number
),
marked AS (
  SELECT
    *,
    lag(number) OVER (PARTITION BY person, grain ORDER BY number) AS before,
    lead(number) OVER (PARTITION BY person, grain ORDER BY number) AS later
  FROM activity
),
moves AS (
  SELECT
    person, grain, number, at_us,
    CASE WHEN before IS NULL THEN 'new' WHEN number - before = 1 THEN 'returning' ELSE 'resurrected' END AS move
  FROM marked
  UNION ALL
  SELECT person, grain, number + 1 AS number, at_us, CASE WHEN later - number = 1 THEN 'kept' ELSE 'dormant' END AS move
  FROM marked
)
SELECT
  moves.person AS person,
  moves.grain AS grain,
  steps.start_day AS start_day,
  moves.at_us AS at_us,
  moves.move AS move
FROM moves
INNER JOIN steps ON steps.grain = moves.grain AND steps.number = moves.number
