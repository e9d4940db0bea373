-- Retention cells with small ones hidden: 1 to k-1 people came back, or all but 1 to k-1 did, or the cohort is small.
-- grain:  one row per question, cohort and period (n keeps the order)
-- inputs: cells = retention_cells
WITH small AS (
    SELECT
        *,
        cohort_people BETWEEN 1 AND $k - 1 AS small_cohort,
        people BETWEEN 1 AND $k - 1 OR cohort_people - people BETWEEN 1 AND $k - 1
        OR cohort_people BETWEEN 1 AND $k - 1 AS hide
    FROM cells
)
SELECT * EXCLUDE (n, hide, small_cohort) REPLACE (
    CASE WHEN NOT small_cohort THEN cohort_people END AS cohort_people,
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide THEN rate END AS rate,
    CASE WHEN NOT hide THEN low END AS low,
    CASE WHEN NOT hide THEN high END AS high
), coalesce(hide, FALSE) AS suppressed
FROM small
ORDER BY n
