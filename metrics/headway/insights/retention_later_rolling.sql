-- Grain: one row per cohort, person and returning event after the first window.
-- Inputs: starters, marked.
-- Meaning: later counts windows of equal length from the person's own start; window 0 holds it.
SELECT
  starters.touch,
  starters.cohort,
  starters.person,
  (marked.point - starters.point) // $width AS later,
  1 AS returns
FROM starters
INNER JOIN marked ON $same AND marked.point >= starters.point + $width
WHERE marked.returns AND marked.inside
