-- Metric values with small cells hidden, and with them as many others as it takes that none can be worked out.
-- grain:  one row per metric, place, segment, period and period start (n keeps the order)
-- inputs: cells = metric_values
-- Three counts of a cell may not be 1 to k-1: its people, a share's numerator (part) and its remainder (rest); of a mean
-- the part is those who add to its sum (contributors, which are not published). Cells
-- add up: channels to everybody, days to their week (people of shares and means count once a week, so their days add
-- up to at least the week; they are treated alike). In every such line the small cells are hidden together with the
-- next smallest ones, until at least two are and each of their three sums is 0 or k or more: whoever subtracts what
-- is shown from a total then gets a sum in which every hidden cell may be k or more. Where no selection does, the
-- whole line is hidden. Small and other hidden cells give the same reason: which of them is the small one stays open.
-- 1. weeks of everybody: their sum over all weeks is known from other tables (funnels, number of people). The choice
--    goes by people alone, so that it falls on the same weeks in every metric that counts from the same event.
-- 2. channels of a week          3. days of everybody          4. days of channels: whole channels, for a week
-- The places of a metric (framework, stage) show the same cells and are hidden alike.
WITH weeks AS (
    SELECT DISTINCT metric, period_start AS week FROM cells WHERE period = 'week'
),
grid AS (
    SELECT DISTINCT ON (metric, segment, period, period_start)
        c.metric, c.segment, c.period, c.period_start, coalesce(w.week, DATE '0001-01-01') AS week,
        coalesce(c.people, 0) AS people,
        CASE c.interval_method
            WHEN 'wilson' THEN c.numerator
            WHEN 'poisson exact' THEN 0
            WHEN 'adjusted wald' THEN 0
            -- a mean, with or without an interval
            ELSE coalesce(c.contributors, 0)
        END AS part,
        CASE c.interval_method WHEN 'wilson' THEN c.denominator - c.numerator ELSE 0 END AS rest,
        -- a sum or score that one person could dominate or give away
        coalesce(CASE c.interval_method
            WHEN 'student t' THEN
                -- the interval gives the sum of squares away; (sum)^2 / (sum of squares) <= 4 where one person
                -- contributes half or more (1.96 instead of Student's quantile errs on the safe side)
                c.numerator <> 0 AND pow(c.numerator, 2) <= 4 * (
                    pow((c.high - c.low) / 2 / 1.959963984540054, 2) * c.people * (c.people - 1)
                    + pow(c.numerator, 2) / c.people)
            WHEN 'adjusted wald' THEN c.people - abs(c.numerator) BETWEEN 1 AND $k - 1
        END, FALSE) AS fragile
    FROM cells c
    ASOF LEFT JOIN weeks w ON w.metric = c.metric AND c.period_start >= w.week
),
judged AS (
    SELECT
        *,
        fragile OR people BETWEEN 1 AND $k - 1 OR part BETWEEN 1 AND $k - 1 OR rest BETWEEN 1 AND $k - 1 AS small
    FROM grid
),

-- 1. weeks of everybody
week_order AS (
    SELECT
        *,
        row_number() OVER by_people AS place,
        sum(people) OVER by_people AS people_so_far,
        count(*) FILTER (people BETWEEN 1 AND $k - 1) OVER (PARTITION BY metric) AS n_small
    FROM judged
    WHERE period = 'week' AND segment = 'all'
    WINDOW by_people AS (PARTITION BY metric ORDER BY people = 0, people, period_start ROWS UNBOUNDED PRECEDING)
),
week_all AS (
    SELECT
        * EXCLUDE (people_so_far),
        small OR (n_small > 0 AND place <= coalesce(
            min(place) FILTER (place >= 2 AND place >= n_small AND people_so_far >= $k) OVER (PARTITION BY metric),
            place)) AS hide
    FROM week_order
),

-- 2. channels of a week, 3. days of everybody: lines that add up to a week of everybody
line_cells AS (
    SELECT j.*, coalesce(w.hide, FALSE) AS total_hidden
    FROM judged j
    LEFT JOIN (SELECT metric, week, hide FROM week_all) w USING (metric, week)
    WHERE (j.period = 'week') <> (j.segment = 'all')
),
line_order AS (
    SELECT
        *,
        row_number() OVER in_order AS place,
        sum(people) OVER in_order AS people_so_far,
        sum(part) OVER in_order AS part_so_far,
        sum(rest) OVER in_order AS rest_so_far,
        count(*) FILTER (small) OVER (PARTITION BY metric, week, period) AS n_small
    FROM line_cells
    WINDOW in_order AS (
        PARTITION BY metric, week, period
        ORDER BY NOT small, people = 0, people, segment, period_start ROWS UNBOUNDED PRECEDING)
),
line AS (
    SELECT
        * EXCLUDE (people_so_far, part_so_far, rest_so_far),
        (n_small > 0 OR total_hidden) AND place <= coalesce(
            min(place) FILTER (
                place >= 2 AND place >= n_small
                AND people_so_far NOT BETWEEN 1 AND $k - 1
                AND part_so_far NOT BETWEEN 1 AND $k - 1
                AND rest_so_far NOT BETWEEN 1 AND $k - 1) OVER (PARTITION BY metric, week, period),
            place) AS hide
    FROM line_order
),

-- 4. days of channels: a channel's days are hidden for a week or not at all
channel_weeks AS (
    SELECT
        d.metric, d.week, d.segment,
        sum(d.people) AS people,
        bool_or(d.small) OR coalesce(bool_or(c.hide), FALSE) AS must
    FROM judged d
    LEFT JOIN line c ON c.period = 'week' AND c.metric = d.metric AND c.week = d.week AND c.segment = d.segment
    WHERE d.period = 'day' AND d.segment <> 'all'
    GROUP BY ALL
),
channel_order AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY metric, week ORDER BY NOT must, people = 0, people, segment) AS place,
        count(*) FILTER (must) OVER (PARTITION BY metric, week) AS n_must
    FROM channel_weeks
),
day_sums AS (
    SELECT
        o.metric, o.week, o.place, d.period_start,
        sum(d.people) OVER in_order AS people, sum(d.part) OVER in_order AS part, sum(d.rest) OVER in_order AS rest
    FROM judged d
    JOIN channel_order o ON o.metric = d.metric AND o.week = d.week AND o.segment = d.segment
    WHERE d.period = 'day'
    WINDOW in_order AS (PARTITION BY d.metric, d.period_start ORDER BY o.place ROWS UNBOUNDED PRECEDING)
),
enough AS (
    SELECT metric, week, min(place) AS place
    FROM (
        SELECT
            s.metric, s.week, s.place,
            bool_and(
                s.people NOT BETWEEN 1 AND $k - 1 AND s.part NOT BETWEEN 1 AND $k - 1
                AND s.rest NOT BETWEEN 1 AND $k - 1) AS fine
        FROM day_sums s
        GROUP BY ALL
    )
    JOIN (SELECT DISTINCT metric, week, n_must FROM channel_order) USING (metric, week)
    WHERE fine AND place >= 2 AND place >= n_must
    GROUP BY ALL
),
days_hidden AS (
    SELECT metric, week, bool_or(hide OR total_hidden) AS any_hidden
    FROM line
    WHERE period = 'day'
    GROUP BY ALL
),
hidden_channels AS (
    SELECT o.metric, o.week, o.segment
    FROM channel_order o
    LEFT JOIN enough e USING (metric, week)
    LEFT JOIN days_hidden h USING (metric, week)
    WHERE (o.n_must > 0 OR h.any_hidden) AND o.place <= coalesce(e.place, o.place)
),

hidden AS (
    SELECT metric, segment, period, period_start FROM week_all WHERE hide
    UNION ALL
    SELECT metric, segment, period, period_start FROM line WHERE hide
    UNION ALL
    SELECT d.metric, d.segment, d.period, d.period_start
    FROM judged d
    SEMI JOIN hidden_channels h ON h.metric = d.metric AND h.week = d.week AND h.segment = d.segment
    WHERE d.period = 'day'
),
marked AS (
    SELECT
        c.*,
        h.metric IS NOT NULL AS hide,
        -- a score's interval gives promoters and detractors away: their number follows from its width
        CASE WHEN c.interval_method = 'adjusted wald' THEN
            (c.people + 2) * (pow(
                CASE WHEN c.low > -100 THEN c.numerator / (c.people + 2) - c.low / 100
                    ELSE c.high / 100 - c.numerator / (c.people + 2) END / 1.959963984540054, 2) * (c.people + 2)
                + pow(c.numerator / (c.people + 2), 2)) - 1
        END AS outspoken
    FROM cells c
    LEFT JOIN hidden h USING (metric, segment, period, period_start)
),
narrowed AS (
    SELECT
        *,
        coalesce(
            round((outspoken + numerator) / 2) BETWEEN 1 AND $k - 1
            OR round((outspoken - numerator) / 2) BETWEEN 1 AND $k - 1
            OR round(people - outspoken) BETWEEN 1 AND $k - 1, FALSE) AS telling
    FROM marked
)
SELECT * EXCLUDE (n, contributors, estimate, hide, outspoken, telling) REPLACE (
    CASE WHEN NOT hide THEN value END AS value,
    CASE WHEN NOT hide THEN numerator END AS numerator,
    CASE WHEN NOT hide THEN denominator END AS denominator,
    CASE WHEN NOT hide THEN people END AS people,
    CASE WHEN NOT hide AND NOT telling THEN low END AS low,
    CASE WHEN NOT hide AND NOT telling THEN high END AS high,
    CASE WHEN NOT hide AND NOT telling THEN interval_method END AS interval_method,
    hide AS suppressed,
    CASE WHEN hide THEN 'fewer than ' || $k || ' people, or would reveal so few' ELSE reason END AS reason
)
FROM narrowed
ORDER BY n
