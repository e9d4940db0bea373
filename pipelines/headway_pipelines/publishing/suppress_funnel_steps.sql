-- Funnel steps with small cells hidden: a step is shown when it, and what was lost since the last step shown, is 0
-- people or k or more. Hidden steps in between hide nothing from whoever subtracts one shown step from another.
-- grain:  one row per funnel and step (n keeps the order)
-- inputs: cells = funnel_steps
WITH RECURSIVE walked AS (
    SELECT funnel, step, people, NULL::BIGINT AS last_shown, people BETWEEN 1 AND $k - 1 AS hide
    FROM cells
    WHERE step = 1
    UNION ALL
    SELECT
        c.funnel, c.step, c.people,
        CASE WHEN w.hide THEN w.last_shown ELSE w.people END AS last_shown,
        c.people BETWEEN 1 AND $k - 1
        OR coalesce(CASE WHEN w.hide THEN w.last_shown ELSE w.people END - c.people BETWEEN 1 AND $k - 1, FALSE) AS hide
    FROM walked w
    JOIN cells c ON c.funnel = w.funnel AND c.step = w.step + 1
),
-- the step after a hidden one would show it through its drop and its share of the step before
known AS (
    SELECT funnel, step, hide, hide OR coalesce(lag(hide) OVER (PARTITION BY funnel ORDER BY step), FALSE) AS alone
    FROM walked
)
SELECT c.* EXCLUDE (n) REPLACE (
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide THEN from_first END AS from_first,
    CASE WHEN NOT alone THEN from_previous END AS from_previous,
    CASE WHEN NOT hide THEN low END AS low,
    CASE WHEN NOT hide THEN high END AS high,
    CASE WHEN NOT alone THEN dropped END AS dropped,
    CASE WHEN NOT hide THEN seconds_mean END AS seconds_mean,
    -- a quantile speaks of the people beyond it
    CASE WHEN NOT hide AND people >= 2 * $k THEN seconds_median END AS seconds_median,
    CASE WHEN NOT hide AND people >= 10 * $k THEN seconds_p90 END AS seconds_p90
), hide AS suppressed
FROM cells c
JOIN known USING (funnel, step)
ORDER BY c.n
