-- Funnel steps with small cells hidden: a step, or the drop into it, of 1 to k-1 people.
-- grain:  one row per funnel and step (n keeps the order)
-- inputs: cells = funnel_steps
WITH small AS (
    SELECT *, coalesce(people BETWEEN 1 AND $k - 1, FALSE) OR coalesce(dropped BETWEEN 1 AND $k - 1, FALSE) AS hide
    FROM cells
),
-- the step after a hidden one would show it through its drop and its share of the step before
after_hidden AS (
    SELECT *, coalesce(lag(hide) OVER (PARTITION BY funnel ORDER BY step), FALSE) AS hide_difference FROM small
)
SELECT * EXCLUDE (n, hide, hide_difference) REPLACE (
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide THEN from_first END AS from_first,
    CASE WHEN NOT hide AND NOT hide_difference THEN from_previous END AS from_previous,
    CASE WHEN NOT hide THEN low END AS low,
    CASE WHEN NOT hide THEN high END AS high,
    CASE WHEN NOT hide AND NOT hide_difference THEN dropped END AS dropped,
    CASE WHEN NOT hide THEN seconds_mean END AS seconds_mean,
    CASE WHEN NOT hide THEN seconds_median END AS seconds_median,
    CASE WHEN NOT hide THEN seconds_p90 END AS seconds_p90
), hide AS suppressed
FROM after_hidden
ORDER BY n
