-- Months and windows of days to be hidden: small ones, and those that would give hidden days or weeks away.
-- grain:  one row per metric, segment, period and period start
-- inputs: judged: the counts of every cell (suppress_judged.sql)
--         hidden_short: the hidden days and weeks (suppress_short_periods.sql)
-- params: k: smallest number of people that may be spoken of
-- Weeks and months cut each other: from the months and weeks around it, the part of a week that lies in one month can be
-- worked out, as if it were a cell of its own. A month is therefore shown only if
-- 1. it is not small, and no week that overlaps it is hidden;
-- 2. of every week cut by its ends, either part has 0 or k or more people, parts and remainders, and is nobody's by half;
-- 3. in no part of a week are hidden days alone, or together small or one person's by half.
-- Months add up over the labels of a segment: they are shown for all labels or for none, and only beside everybody's. The
-- sum of all months is known from elsewhere, so that where everybody's hidden months are one, or together small, all of
-- them go.
-- Months of a metric that has nothing but months are judged as weeks are, by suppress_short_periods.sql.
-- A window of days is shown of everybody only, where no day in it is hidden, and where it differs by 0 or k or more people,
-- parts and remainders from every cell shown that lies within it or around it: the difference is a number of people too. Of
-- amounts, too, the difference must not be one person's by half: where they are added up, its squares are at most the
-- difference of the squares.
WITH state AS (
    SELECT j.*, h.metric IS NOT NULL AS hide
    FROM judged j
    LEFT JOIN hidden_short h USING (metric, segment, period, period_start)
),
pieces AS (
    SELECT
        m.metric, m.segment, d.week, m.period_start AS month,
        d.week < m.period_start OR d.week + 6 > m.period_end AS cut,
        sum(d.people) AS people, sum(d.part) AS part, sum(d.rest) AS rest,
        count(*) FILTER (d.hide) AS n_hidden,
        coalesce(sum(d.people) FILTER (d.hide), 0) AS hidden_people,
        coalesce(sum(d.part) FILTER (d.hide), 0) AS hidden_part,
        coalesce(sum(d.rest) FILTER (d.hide), 0) AS hidden_rest,
        sum(d.amount) AS amount, sum(d.norm) AS norm,
        coalesce(sum(d.amount) FILTER (d.hide), 0) AS hidden_amount,
        coalesce(sum(d.norm) FILTER (d.hide), 0) AS hidden_norm
    FROM state m
    JOIN state d
        ON d.metric = m.metric AND d.segment = m.segment AND d.period = 'day'
        AND d.period_start BETWEEN m.period_start AND m.period_end
    WHERE m.period = 'month'
    GROUP BY ALL
),
unsafe_weeks AS (
    SELECT metric, segment, week
    FROM pieces
    GROUP BY ALL
    HAVING bool_or(
        n_hidden = 1
        OR hidden_people BETWEEN 1 AND $k - 1 OR hidden_part BETWEEN 1 AND $k - 1 OR hidden_rest BETWEEN 1 AND $k - 1
        OR (hidden_norm > 0 AND abs(hidden_amount) <= 2 * hidden_norm)
        OR (cut AND (people BETWEEN 1 AND $k - 1 OR part BETWEEN 1 AND $k - 1 OR rest BETWEEN 1 AND $k - 1
            OR (norm > 0 AND abs(amount) <= 2 * norm))))
),
month_cells AS (
    SELECT
        m.metric, m.dimension, m.segment, m.period_start, m.people,
        m.small
        OR bool_or(coalesce(w.hide, FALSE))
        OR bool_or(u.metric IS NOT NULL)
        -- weeks without days: what their parts hold cannot be judged
        OR bool_or(w.metric IS NOT NULL AND p.metric IS NULL) AS bad
    FROM state m
    LEFT JOIN state w
        ON w.metric = m.metric AND w.segment = m.segment AND w.period = 'week'
        AND w.period_start <= m.period_end AND w.period_end >= m.period_start
    LEFT JOIN unsafe_weeks u ON u.metric = w.metric AND u.segment = w.segment AND u.week = w.period_start
    LEFT JOIN (SELECT DISTINCT metric, segment, month FROM pieces) p
        ON p.metric = m.metric AND p.segment = m.segment AND p.month = m.period_start
    WHERE m.period = 'month' AND m.metric NOT IN (
        SELECT metric FROM judged GROUP BY metric HAVING bool_and(period = 'month')
    )
    GROUP BY m.metric, m.dimension, m.segment, m.period_start, m.people, m.small
),
everybody AS (
    SELECT
        metric, period_start,
        bad
        OR count(*) FILTER (bad) OVER by_metric = 1
        OR coalesce(sum(people) FILTER (bad) OVER by_metric, 0) BETWEEN 1 AND $k - 1 AS hide
    FROM month_cells
    WHERE segment = 'all'
    WINDOW by_metric AS (PARTITION BY metric)
),
labels AS (
    SELECT metric, dimension, period_start, bool_or(bad) AS hide
    FROM month_cells
    GROUP BY ALL
),
months AS (
    SELECT m.metric, m.segment, 'month' AS period, m.period_start
    FROM month_cells m
    LEFT JOIN everybody e USING (metric, period_start)
    JOIN labels l USING (metric, dimension, period_start)
    WHERE coalesce(e.hide, TRUE) OR (m.segment <> 'all' AND l.hide)
),
-- what can be seen of everybody beside windows
seen AS (
    SELECT s.metric, s.period, s.period_start, s.period_end, s.people, s.part, s.rest, s.amount, s.norm
    FROM state s
    LEFT JOIN months h USING (metric, segment, period, period_start)
    WHERE s.segment = 'all' AND NOT s.hide AND h.metric IS NULL
),
windows AS (
    SELECT w.metric, w.segment, w.period, w.period_start
    FROM state w
    LEFT JOIN state d
        ON d.metric = w.metric AND d.segment = 'all' AND d.period = 'day' AND d.hide
        AND d.period_start BETWEEN w.period_start AND w.period_end
    LEFT JOIN seen o
        ON o.metric = w.metric AND (o.period, o.period_start) <> (w.period, w.period_start)
        AND ((o.period_start >= w.period_start AND o.period_end <= w.period_end)
            OR (o.period_start <= w.period_start AND o.period_end >= w.period_end))
        AND (abs(o.people - w.people) BETWEEN 1 AND $k - 1 OR abs(o.part - w.part) BETWEEN 1 AND $k - 1
            OR abs(o.rest - w.rest) BETWEEN 1 AND $k - 1
            OR (abs(pow(o.norm, 2) - pow(w.norm, 2)) > 1e-9 * pow(w.norm, 2)
                AND pow(o.amount - w.amount, 2) <= 4 * abs(pow(o.norm, 2) - pow(w.norm, 2))))
    WHERE w.period LIKE 'rolling%' AND (w.segment <> 'all' OR w.small OR d.metric IS NOT NULL OR o.metric IS NOT NULL)
)
SELECT metric, segment, period, period_start FROM months
UNION
SELECT metric, segment, period, period_start FROM windows
