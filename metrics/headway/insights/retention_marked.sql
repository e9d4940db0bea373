-- Grain: one row per event that starts or returns.
-- Inputs: ev, with the number of the local period.
-- Meaning: which of both the event does, and whether it lies in the range of the question.
SELECT
  person,
  us,
  period,
  $starts AS starts,
  $returns AS returns,
  $inside AS inside
FROM ev
WHERE $any
