-- Grain: one row per pair of successive active days of a person.
-- Inputs: activity.
-- Meaning: days from one to the next; place orders a person's gaps by length.
SELECT
  person,
  days,
  row_number() OVER (PARTITION BY person ORDER BY days, period) AS place
FROM (
  SELECT
    person,
    period,
    lead(period) OVER (PARTITION BY person ORDER BY period) - period AS days
  FROM activity
)
WHERE days IS NOT NULL
