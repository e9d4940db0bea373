-- What each person adds, cut off, so that noise of a known size hides anybody.
-- grain:  one row per person and period
-- inputs: units = what each person adds (person, grain, start_day, at_us, y, x)
-- params: most = what one person adds at most
SELECT * REPLACE (least(greatest(y, 0), $most) AS y)
FROM units
