-- From when to when each label of a person held.
--
-- grain:  one row per person and stretch of time in which one label held.
-- inputs: labels(person, since_us, label): the label of a person from an instant on, one row per person and instant.
-- until_us = the instant from which on another label held. Times before a person's first label are in no stretch.
WITH changes AS (
  SELECT person, since_us, label, lag(label) OVER (PARTITION BY person ORDER BY since_us) AS before
  FROM labels
)
SELECT
  person,
  since_us,
  coalesce(lead(since_us) OVER (PARTITION BY person ORDER BY since_us), 9223372036854775807) AS until_us,
  label
FROM changes
WHERE before IS DISTINCT FROM label
