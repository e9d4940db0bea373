-- Active people with small cells hidden, and with them windows that differ from another one by 1 to k-1 people.
-- grain:  one row per day and window (n keeps the order)
-- inputs: cells = active_people
-- A window that lies within another counts some of its people: the difference of the two is a number of people too.
-- In each pair with a small difference the shorter window is hidden; of two equally long ones, which lie within each
-- other as long as nothing has left the window (the first days of the log), the later.
WITH spans AS (
    SELECT
        *,
        greatest(period_start - (window_days - 1)::INTEGER, min(period_start) OVER ()) AS first_day,
        coalesce(value BETWEEN 1 AND $k - 1, FALSE) AS small
    FROM cells
),
too_close AS (
    SELECT DISTINCT this.n, TRUE AS close
    FROM spans this
    JOIN spans other
        ON NOT other.small
        AND abs(other.value - this.value) BETWEEN 1 AND $k - 1
        AND (other.window_days > this.window_days
            OR (other.window_days = this.window_days AND other.period_start < this.period_start))
        AND ((this.first_day >= other.first_day AND this.period_start <= other.period_start)
            OR (this.first_day <= other.first_day AND this.period_start >= other.period_start))
)
SELECT * EXCLUDE (n, first_day, small, hide) REPLACE (CASE WHEN NOT hide THEN value END AS value), hide AS suppressed
FROM (SELECT s.*, s.small OR t.close IS NOT NULL AS hide FROM spans s LEFT JOIN too_close t USING (n))
ORDER BY n
