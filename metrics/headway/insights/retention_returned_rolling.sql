-- Grain: one row per cohort, person and later window with enough returning events.
-- Inputs: starters, marked.
-- Meaning: windows have equal lengths and are counted from the instant of the person's own start; window 0 holds it.
SELECT
  starters.cohort,
  starters.person,
  (marked.us - starters.us) // $width_us AS period
FROM starters
INNER JOIN marked ON marked.person = starters.person AND marked.us >= starters.us + $width_us
WHERE marked.returns AND marked.inside
GROUP BY starters.cohort, starters.person, (marked.us - starters.us) // $width_us
HAVING count(*) >= $min_events
