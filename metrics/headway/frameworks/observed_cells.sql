-- The observations of every cell, cell by cell, by size.
--
-- grain:  one row per observation, label and period.
-- inputs: labelled(label, person, grain, start_day, y, x): y = value, x = 1 where it is not over yet.
SELECT label, grain, start_day, person, CAST(y AS DOUBLE) AS y, CAST(x AS BIGINT) AS x
FROM labelled
ORDER BY label, grain, start_day, y, x, person
