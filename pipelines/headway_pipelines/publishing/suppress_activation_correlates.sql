-- Early behaviours and coming back, small cells hidden: a row goes as a whole where any of its four cells (did it or not,
-- came back or not) is 1 to k-1 people.
-- grain:  one row per retention question and behaviour (n keeps the order)
-- inputs: cells = activation_correlates
WITH known AS (
    SELECT
        n,
        did_kept BETWEEN 1 AND $k - 1
        OR did - did_kept BETWEEN 1 AND $k - 1
        OR kept - did_kept BETWEEN 1 AND $k - 1
        OR people - did - kept + did_kept BETWEEN 1 AND $k - 1 AS hide
    FROM cells
)
SELECT c.* EXCLUDE (n) REPLACE (
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide THEN kept END AS kept,
    CASE WHEN NOT hide THEN did END AS did,
    CASE WHEN NOT hide THEN did_kept END AS did_kept
), hide AS suppressed
FROM cells c
JOIN known USING (n)
ORDER BY c.n
