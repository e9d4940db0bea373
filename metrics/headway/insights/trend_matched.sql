-- Grain: one row per event in question.
-- Inputs: ev, with the number of the local period where there are periods.
-- Meaning: touch is the event's value of the breakdown, amount the number that is measured (null: no number).
SELECT
  person,
  day,
  $period AS period,
  $touch AS touch,
  $amount AS amount
FROM ev
WHERE $matches
