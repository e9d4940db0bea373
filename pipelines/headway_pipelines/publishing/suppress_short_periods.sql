-- Days and weeks (and months that stand alone) to be hidden: small cells, and as many others as it takes that none can be worked out.
-- grain:  one row per metric, segment, period and period start
-- inputs: judged: the counts of every cell (suppress_judged.sql)
-- params: k: smallest number of people that may be spoken of
--         weeks_add_up: whether the sum over all weeks is known from elsewhere
-- Cells add up: the labels of a segment (channels, for example) to everybody, days to their week (people of shares and
-- means count once a week, so their days add up to at least the week; they are treated alike). In every such line the
-- small cells are hidden together with the
-- next smallest ones, until at least two are, each of their three sums is 0 or k or more, and no one person gives half of
-- their amount: whoever subtracts what is shown from a total then gets a sum in which every hidden cell may be k or more.
-- (Squares of labels add up, for they have different people; of days only their roots do, at most.) Where no selection
-- does, the whole line is hidden. Small and other hidden cells give the same reason: which of them is the small one stays open.
-- 1. weeks of everybody: their sum over all weeks is known from other tables (funnels, number of people). The choice
--    goes by people alone, so that it falls on the same weeks in every metric that counts from the same event.
-- 2. labels of a week            3. days of everybody          4. days of labels: whole labels, for a week
-- Other metrics may speak of the same people (the same cohort, everybody active) and have other small parts. Were the
-- choice among people left to those, one metric would show what another hides. So each line is hidden twice over: as
-- people alone would have it (few), the same in all metrics of the same people, and as all three counts would.
-- Called channels below, as most are: the labels of each segment are lines of their own.
-- Months of a metric that has nothing but months are cut by no week, and add up as weeks do: they are its weeks here.
WITH
cells AS (
    SELECT
        * REPLACE (CASE WHEN alone THEN period_start ELSE week END AS week),
        CASE WHEN alone THEN 'week' ELSE period END AS kind
    FROM (SELECT *, bool_and(period = 'month') OVER (PARTITION BY metric) AS alone FROM judged)
),

-- 1. weeks of everybody
week_order AS (
    SELECT
        *,
        row_number() OVER by_people AS place,
        sum(people) OVER by_people AS people_so_far,
        count(*) FILTER (people BETWEEN 1 AND $k - 1) OVER (PARTITION BY metric) AS n_small
    FROM cells
    WHERE kind = 'week' AND segment = 'all'
    WINDOW by_people AS (PARTITION BY metric ORDER BY people = 0, people, period_start ROWS UNBOUNDED PRECEDING)
),
week_all AS (
    SELECT
        * EXCLUDE (people_so_far),
        CASE WHEN $weeks_add_up
            THEN n_small > 0 AND place <= coalesce(
                min(place) FILTER (place >= 2 AND place >= n_small AND people_so_far >= $k) OVER (PARTITION BY metric),
                place)
            ELSE people BETWEEN 1 AND $k - 1 END AS hide_few,
        small OR hide_few AS hide
    FROM week_order
),

-- 2. channels of a week, 3. days of everybody: lines that add up to a week of everybody
line_cells AS (
    SELECT j.*, coalesce(w.hide, FALSE) AS total_hidden, coalesce(w.hide_few, FALSE) AS total_hidden_few
    FROM cells j
    LEFT JOIN (SELECT metric, week, hide, hide_few FROM week_all) w USING (metric, week)
    WHERE (j.kind = 'week' AND j.segment <> 'all') OR (j.kind = 'day' AND j.segment = 'all')
),
line_order AS (
    SELECT
        *,
        row_number() OVER in_order AS place,
        sum(people) OVER in_order AS people_so_far,
        sum(part) OVER in_order AS part_so_far,
        sum(rest) OVER in_order AS rest_so_far,
        sum(amount) OVER in_order AS amount_so_far,
        CASE WHEN period = 'day' THEN sum(norm) OVER in_order ELSE sqrt(sum(norm * norm) OVER in_order) END AS norm_so_far,
        count(*) FILTER (small) OVER (PARTITION BY metric, dimension, week, period) AS n_small,
        row_number() OVER by_people AS place_few,
        sum(people) OVER by_people AS people_so_far_few,
        count(*) FILTER (people BETWEEN 1 AND $k - 1) OVER (PARTITION BY metric, dimension, week, period) AS n_few
    FROM line_cells
    WINDOW in_order AS (
        PARTITION BY metric, dimension, week, period
        ORDER BY NOT small, people = 0, people, segment, period_start ROWS UNBOUNDED PRECEDING),
    by_people AS (
        PARTITION BY metric, dimension, week, period
        ORDER BY people = 0, people, segment, period_start ROWS UNBOUNDED PRECEDING)
),
line AS (
    SELECT
        * EXCLUDE (people_so_far, part_so_far, rest_so_far, amount_so_far, norm_so_far, people_so_far_few),
        (n_few > 0 OR total_hidden_few) AND place_few <= coalesce(
            min(place_few) FILTER (
                place_few >= 2 AND place_few >= n_few
                AND people_so_far_few NOT BETWEEN 1 AND $k - 1) OVER (PARTITION BY metric, dimension, week, period),
            place_few) AS hide_few,
        hide_few OR ((n_small > 0 OR total_hidden) AND place <= coalesce(
            min(place) FILTER (
                place >= 2 AND place >= n_small
                AND people_so_far NOT BETWEEN 1 AND $k - 1
                AND part_so_far NOT BETWEEN 1 AND $k - 1
                AND rest_so_far NOT BETWEEN 1 AND $k - 1
                AND (norm_so_far = 0 OR abs(amount_so_far) > 2 * norm_so_far)) OVER (PARTITION BY metric, dimension, week, period),
            place)) AS hide
    FROM line_order
),

-- 4. days of channels: a channel's days are hidden for a week or not at all
channel_weeks AS (
    SELECT
        d.metric, d.dimension, d.week, d.segment, why.few,
        sum(d.people) AS people,
        bool_or(CASE WHEN why.few THEN d.people BETWEEN 1 AND $k - 1 OR coalesce(c.hide_few, FALSE)
            ELSE d.small OR coalesce(c.hide, FALSE) END) AS must
    FROM judged d
    CROSS JOIN (VALUES (TRUE), (FALSE)) why (few)
    LEFT JOIN line c ON c.period = 'week' AND c.metric = d.metric AND c.week = d.week AND c.segment = d.segment
    WHERE d.period = 'day' AND d.segment <> 'all'
    GROUP BY ALL
),
channel_order AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY metric, dimension, week, few ORDER BY NOT must, people = 0, people, segment) AS place,
        count(*) FILTER (must) OVER (PARTITION BY metric, dimension, week, few) AS n_must
    FROM channel_weeks
),
day_sums AS (
    SELECT
        o.metric, o.dimension, o.week, o.few, o.place, d.period_start,
        sum(d.people) OVER in_order AS people, sum(d.part) OVER in_order AS part, sum(d.rest) OVER in_order AS rest,
        sum(d.amount) OVER in_order AS amount, sqrt(sum(d.norm * d.norm) OVER in_order) AS norm
    FROM judged d
    JOIN channel_order o ON o.metric = d.metric AND o.week = d.week AND o.segment = d.segment
    WHERE d.period = 'day'
    WINDOW in_order AS (
        PARTITION BY d.metric, o.dimension, o.few, d.period_start ORDER BY o.place ROWS UNBOUNDED PRECEDING)
),
enough AS (
    SELECT metric, dimension, week, few, min(place) AS place
    FROM (
        SELECT
            s.metric, s.dimension, s.week, s.few, s.place,
            bool_and(
                s.people NOT BETWEEN 1 AND $k - 1
                AND (s.few OR (
                    s.part NOT BETWEEN 1 AND $k - 1 AND s.rest NOT BETWEEN 1 AND $k - 1
                    AND (s.norm = 0 OR abs(s.amount) > 2 * s.norm)))) AS fine
        FROM day_sums s
        GROUP BY ALL
    )
    JOIN (SELECT DISTINCT metric, dimension, week, few, n_must FROM channel_order) USING (metric, dimension, week, few)
    WHERE fine AND place >= 2 AND place >= n_must
    GROUP BY ALL
),
days_hidden AS (
    SELECT
        metric, week, why.few,
        bool_or(CASE WHEN why.few THEN hide_few OR total_hidden_few ELSE hide OR total_hidden END) AS any_hidden
    FROM line
    CROSS JOIN (VALUES (TRUE), (FALSE)) why (few)
    WHERE period = 'day'
    GROUP BY ALL
),
hidden_channels AS (
    SELECT DISTINCT o.metric, o.week, o.segment
    FROM channel_order o
    LEFT JOIN enough e USING (metric, dimension, week, few)
    LEFT JOIN days_hidden h USING (metric, week, few)
    WHERE (o.n_must > 0 OR h.any_hidden) AND o.place <= coalesce(e.place, o.place)
)
SELECT metric, segment, period, period_start FROM week_all WHERE hide
UNION ALL
SELECT metric, segment, period, period_start FROM line WHERE hide
UNION ALL
SELECT d.metric, d.segment, d.period, d.period_start
FROM judged d
SEMI JOIN hidden_channels h ON h.metric = d.metric AND h.week = d.week AND h.segment = d.segment
WHERE d.period = 'day'
