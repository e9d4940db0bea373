-- Grain: one row per cohort and column with someone in it.
-- Inputs: kept.
-- Meaning: people who count in the column.
SELECT touch, cohort, number, count(*) AS people
FROM kept
GROUP BY touch, cohort, number
