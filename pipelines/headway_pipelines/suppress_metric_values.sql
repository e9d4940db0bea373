-- Metric values with small cells hidden.
-- grain:  one row per metric, place, segment, period and period start (n keeps the order)
-- inputs: cells = metric_values
-- 1. small:  1 to k-1 people, or a share whose numerator or remainder is 1 to k-1 people
-- 2. beside: where exactly one channel is hidden, the next smallest one too, else it follows from the total
-- 3. around: where exactly one day of a week is hidden, the next smallest one too, else it follows from the week
WITH small AS (
    SELECT
        *,
        (people BETWEEN 1 AND $k - 1)
        OR (interval_method = 'wilson' AND (
            numerator BETWEEN 1 AND $k - 1 OR denominator - numerator BETWEEN 1 AND $k - 1)) AS hide
    FROM cells
),
beside AS (
    SELECT
        *,
        hide OR (
            count(*) FILTER (hide AND segment <> 'all') OVER same_period = 1
            AND row_number() OVER (
                PARTITION BY metric, framework, stage, period, period_start
                ORDER BY hide, people = 0, segment = 'all', people, segment) = 1
        ) AS hide2
    FROM small
    WINDOW same_period AS (PARTITION BY metric, framework, stage, period, period_start)
),
around AS (
    SELECT
        *,
        hide2 OR (
            period = 'day'
            AND count(*) FILTER (hide2) OVER same_week = 1
            AND row_number() OVER (
                PARTITION BY metric, framework, stage, segment, period, week
                ORDER BY hide2, people = 0, people, period_start) = 1
        ) AS hide3
    FROM (SELECT *, date_trunc('week', period_start) AS week FROM beside)
    WINDOW same_week AS (PARTITION BY metric, framework, stage, segment, period, week)
)
SELECT * EXCLUDE (n, hide, hide2, hide3, week) REPLACE (
    CASE WHEN NOT hide3 THEN value END AS value,
    CASE WHEN NOT hide3 THEN numerator END AS numerator,
    CASE WHEN NOT hide3 THEN denominator END AS denominator,
    CASE WHEN NOT hide3 THEN people END AS people,
    CASE WHEN NOT hide3 THEN low END AS low,
    CASE WHEN NOT hide3 THEN high END AS high,
    hide3 AS suppressed,
    CASE
        WHEN hide THEN 'fewer than ' || $k || ' people'
        WHEN hide3 THEN 'would reveal a cell of fewer than ' || $k || ' people'
        ELSE reason
    END AS reason
)
FROM around
ORDER BY n
