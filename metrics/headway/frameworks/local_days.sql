-- Local days of some instants.
--
-- grain:  one row per day, in days since 1970-01-01.
-- inputs: moments(local_us): microseconds since 1970 on the local clock.
-- 700000 days keep the division, which cuts towards zero, away from negative numbers.
SELECT DISTINCT CAST((local_us + 700000 * 86400000000) // 86400000000 - 700000 AS INTEGER) AS day
FROM moments
WHERE local_us IS NOT NULL
