-- Grain: one row per event.
-- Inputs: the events, and the history of their people or accounts: one row per instant at which a property changed.
-- Meaning: properties with the values they had when the event happened; null before the first is known.
SELECT
  events.*,
  $columns
FROM $relation AS events
ASOF LEFT JOIN $history AS history ON $key = $who AND $utc >= history.valid_from
