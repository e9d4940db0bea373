-- Cells to be hidden because other metrics would give them away: parts of one whole are hidden together.
-- grain:  one row per metric, segment, period and period start
-- inputs: cells = metric_values
--         families: which metrics are parts of one whole (families.py)
--         hidden_short, hidden_long: cells hidden for their own sake (suppress_short_periods.sql, suppress_long_periods.sql)
-- Active people less new and returning ones are the resurrected. Where a cell of one part is hidden, the same cell of all its
-- parts is: of what is left the whole alone is known. Where the whole is hidden the parts are, too.
-- Who was active before is who returns and who does not: where a whole is hidden, so are those who are gone a period later.
-- Hiding more of a metric never tells more of it, so that what was safe before stays safe.
WITH hidden AS (
    SELECT metric, segment, period, period_start FROM hidden_short
    UNION
    SELECT metric, segment, period, period_start FROM hidden_long
),
marked AS (
    SELECT DISTINCT f.family, f.role, h.segment, h.period, h.period_start
    FROM hidden h
    JOIN families f USING (metric)
),
-- Segments of a person may change from one period to the next: those who are gone are hidden in all labels.
later AS (
    SELECT DISTINCT m.family, split_part(m.segment, '=', 1) AS dimension, m.period, c.period_end + 1 AS period_start
    FROM marked m
    JOIN (SELECT DISTINCT period, period_start, period_end FROM cells) c USING (period, period_start)
    WHERE m.role = 'whole'
)
SELECT f.metric, m.segment, m.period, m.period_start
FROM marked m
JOIN families f USING (family)
WHERE f.role <> 'whole'
UNION
SELECT f.metric, c.segment, c.period, c.period_start
FROM later l
JOIN families f USING (family)
JOIN cells c
    ON c.metric = f.metric AND split_part(c.segment, '=', 1) = l.dimension AND c.period = l.period
    AND c.period_start = l.period_start
WHERE f.role = 'gone'
