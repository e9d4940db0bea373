-- Grain: one row per person (and value of the breakdown where each is a question of its own) and returning period.
-- Inputs: activity.
-- Meaning: run is equal for periods that follow each other without a gap.
SELECT
  $keys,
  period,
  period - row_number() OVER (PARTITION BY $keys ORDER BY period) AS run
FROM activity
WHERE returns >= $min_events
