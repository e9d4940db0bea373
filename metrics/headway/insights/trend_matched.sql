-- Grain: one row per event in question.
-- Inputs: ev, with the number of the local period.
-- Meaning: touch is the event's value of the breakdown, amount the number that is measured (null: no number).
SELECT
  person,
  period,
  $touch AS touch,
  $amount AS amount
FROM ev
WHERE $matches
