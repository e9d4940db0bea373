-- Grain: one row per cohort and period with a return.
-- Inputs: returned.
-- Meaning: people who returned in exactly that period.
SELECT cohort, period, count(*) AS people
FROM returned
GROUP BY cohort, period
