-- Grain: one row per cohort and person in it.
-- Inputs: entered, marked.
-- Meaning: touch is the value on the first start of the cohort's period; events of one instant keep their order in the
--   log, and where that has none, their values are taken in alphabetical order.
SELECT
  entered.person,
  touches.touch,
  entered.cohort,
  entered.point
FROM entered
INNER JOIN (
  SELECT
    person,
    period,
    touch,
    row_number() OVER (PARTITION BY person, period ORDER BY us, seq, touch) AS place
  FROM marked
  WHERE starts AND inside
) AS touches ON touches.person = entered.person AND touches.period = entered.cohort
WHERE touches.place = 1
