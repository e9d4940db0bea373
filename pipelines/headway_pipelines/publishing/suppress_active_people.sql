-- Active people with small cells hidden, and with them windows that differ from another one by 1 to k-1 people.
-- grain:  one row per day and window (n keeps the order)
-- inputs: cells = active_people
-- A window that lies within another counts some of its people: the difference of the two is a number of people too.
-- Both windows of a pair with a small difference are hidden: metrics of the same people may show either. Of two equally
-- long ones, which lie within each other as long as nothing has left the window (the first days of the log), the later is.
WITH spans AS (
    SELECT
        *,
        greatest(period_start - (window_days - 1)::INTEGER, min(period_start) OVER ()) AS first_day,
        coalesce(value BETWEEN 1 AND $k - 1, FALSE) AS small
    FROM cells
),
pairs AS (
    SELECT this.n, CASE WHEN other.window_days > this.window_days THEN other.n END AS other_n
    FROM spans this
    JOIN spans other
        ON NOT other.small
        AND abs(other.value - this.value) BETWEEN 1 AND $k - 1
        AND (other.window_days > this.window_days
            OR (other.window_days = this.window_days AND other.period_start < this.period_start))
        AND ((this.first_day >= other.first_day AND this.period_start <= other.period_start)
            OR (this.first_day <= other.first_day AND this.period_start >= other.period_start))
),
too_close AS (
    SELECT n, TRUE AS close FROM pairs
    UNION
    SELECT other_n AS n, TRUE AS close FROM pairs WHERE other_n IS NOT NULL
)
SELECT * EXCLUDE (n, first_day, small, hide) REPLACE (CASE WHEN NOT hide THEN value END AS value), hide AS suppressed
FROM (SELECT s.*, s.small OR t.close IS NOT NULL AS hide FROM spans s LEFT JOIN too_close t USING (n))
ORDER BY n
