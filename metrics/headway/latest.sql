-- Grain: one row per event.
-- Inputs: the events, and the history of their people or accounts: one row per instant at which a property changed.
-- Meaning: properties with the values last known, whenever the event happened.
SELECT
  events.*,
  $columns
FROM $relation AS events
LEFT JOIN (
  SELECT * FROM $history AS history
  QUALIFY row_number() OVER (PARTITION BY $who ORDER BY history.valid_from DESC) = 1
) AS history ON $key = $who
