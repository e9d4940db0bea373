-- Grain: one row per event that starts or returns.
-- Inputs: ev, with the number of the local period.
-- Meaning: which of both the event does, and whether it lies in the range of the question. point is what windows are
--   counted in: the instant, or the number of its hour or local day.
SELECT
  person,
  us,
  $columns,
  $point AS point,
  $starts AS starts,
  $returns AS returns,
  $inside AS inside
FROM ev
WHERE $any
