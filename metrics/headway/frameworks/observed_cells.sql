-- The observations of every cell.
--
-- grain:  one row per label, kind of period and period that holds an observation.
-- inputs: labelled(label, person, grain, start_day, y, x): y = value, x = 1 where it is not over yet.
SELECT
  label,
  grain,
  start_day,
  list({'person': person, 'value': CAST(y AS DOUBLE), 'is_open': x <> 0}) AS observations
FROM labelled
GROUP BY label, grain, start_day
