-- The observations of every cell.
--
-- grain:  one row per label, kind of period and period that holds an observation.
-- inputs: labelled(label, person, grain, start_day, y): y = what is observed of the person in the period.
SELECT
  label,
  grain,
  start_day,
  list({'person': person, 'observations': y}) AS people
FROM labelled
GROUP BY label, grain, start_day
