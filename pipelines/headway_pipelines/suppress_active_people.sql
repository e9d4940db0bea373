-- Active people with small cells hidden.
-- grain:  one row per day and window (n keeps the order)
-- inputs: cells = active_people
SELECT
    * EXCLUDE (n) REPLACE (CASE WHEN value NOT BETWEEN 1 AND $k - 1 THEN value END AS value),
    value BETWEEN 1 AND $k - 1 AS suppressed
FROM cells
ORDER BY n
