-- Cohort. Grain: one row per person in it.
-- Inputs: ev, all events of the log; or anchored, the same with the instants windows are counted from.
-- Meaning: people whose events, all of them taken together, fulfil the cohort's condition.
SELECT person
FROM $events
GROUP BY person
HAVING $holds
