-- What each person adds, under the label that held for the person at the instant that counts.
--
-- grain:  one row per person and period.
-- inputs: units(person, grain, start_day, at_us, y, x): one row per person and period.
--         labels(person, since_us, until_us, label): from when to when each label of a person held, without overlap.
-- params: missing: the label of people who have none yet.
SELECT coalesce(labels.label, $missing) AS label, units.person AS person, units.grain AS grain, units.start_day AS start_day, units.y AS y, units.x AS x
FROM units
LEFT JOIN labels
  ON labels.person = units.person AND labels.since_us <= units.at_us AND labels.until_us > units.at_us
