-- Metric values with small cells hidden, and with them as many others as it takes that none can be worked out.
-- grain:  one row per metric, place, segment, period and period start (n keeps the order)
-- inputs: cells = metric_values
--         hidden_short, hidden_long, hidden_alike: cells to be hidden (suppress_short_periods.sql, suppress_long_periods.sql,
--         suppress_alike.sql)
--         hidden_running: cells of running totals to be hidden (running_totals.py)
-- params: k: smallest number of people that may be spoken of
-- What is made of other metrics (components) is shown where all of them are: whoever sees it could have computed it. Were one
-- of them hidden, it could be solved for. An interval goes where that of a component does.
WITH hidden AS (
    SELECT metric, segment, period, period_start FROM hidden_short
    UNION
    SELECT metric, segment, period, period_start FROM hidden_long
    UNION
    SELECT metric, segment, period, period_start FROM hidden_alike
    UNION
    SELECT metric, segment, period, period_start FROM hidden_running
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
),
-- A weighted value is a sum over channels: with one hidden channel it could be solved for that channel, and with all of them
-- shown for how many were asked. It is shown where every channel is, where of no channel 1 to k-1 people were asked or did
-- not answer (effective), and of one kind of period only, for the difference of two is a number of people too.
weighed AS (
    SELECT w.metric, w.segment, w.period, w.period_start, TRUE AS untold
    FROM narrowed w
    JOIN (
        SELECT metric, coalesce(max(period) FILTER (period = 'week'), max(period) FILTER (period = 'month'), 'day') AS told
        FROM narrowed
        WHERE estimate = 'weighted'
        GROUP BY metric
    ) grains USING (metric)
    LEFT JOIN (
        SELECT DISTINCT metric, period, period_start, TRUE AS channel_hidden
        FROM narrowed
        WHERE segment LIKE 'channel=%' AND hide AND people > 0
    ) c USING (metric, period, period_start)
    WHERE w.estimate = 'weighted'
    GROUP BY ALL
    HAVING bool_or(w.period <> grains.told OR coalesce(c.channel_hidden, FALSE)
        OR coalesce(w.effective BETWEEN 1 AND $k - 1, FALSE))
),
alone AS (
    SELECT
        n.* EXCLUDE (hide, telling),
        n.hide OR coalesce(w.untold, FALSE) AS hide,
        -- the intervals of all labels but one, or that of their weighted sum, would tell what the one hides
        bool_or(n.telling) OVER (
            PARTITION BY n.metric, n.framework, n.stage, n.period, n.period_start,
                CASE WHEN n.estimate = 'weighted' THEN 'channel' ELSE split_part(n.segment, '=', 1) END
        ) AS telling
    FROM narrowed n
    LEFT JOIN weighed w USING (metric, segment, period, period_start)
),
made AS (
    SELECT
        f.metric, f.segment, f.period, f.period_start,
        bool_or(coalesce(p.hide, TRUE)) AS part_hidden,
        bool_or(coalesce(p.telling, TRUE)) AS part_telling
    FROM (
        SELECT DISTINCT metric, segment, period, period_start, unnest(string_split(components, ',')) AS component
        FROM cells
        WHERE components IS NOT NULL
    ) f
    LEFT JOIN (
        SELECT DISTINCT metric AS component, segment, period, period_start, hide, telling
        FROM alone
        WHERE components IS NULL
    ) p USING (component, segment, period, period_start)
    GROUP BY ALL
),
known AS (
    SELECT
        n.* EXCLUDE (hide, telling),
        n.hide OR coalesce(m.part_hidden, FALSE) AS hide,
        n.telling OR coalesce(m.part_telling, FALSE) AS telling
    FROM alone n
    LEFT JOIN made m USING (metric, segment, period, period_start)
)
SELECT * EXCLUDE (n, contributors, estimate, effective, components, hide, outspoken, telling) REPLACE (
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
FROM known
ORDER BY n
