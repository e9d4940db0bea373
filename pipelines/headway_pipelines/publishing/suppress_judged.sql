-- The counts of every cell of a metric that must not be small, and whether one of them is.
-- grain:  one row per metric, segment, period and period start
-- inputs: cells = metric_values
-- params: k: smallest number of people that may be spoken of
-- Three counts of a cell may not be 1 to k-1: its people, a share's numerator (part) and its remainder (rest). Of a sum,
-- mean or ratio the part is those who add to the numerator, of a quantile those on the side of it that has fewer
-- (contributors, which are not published). The remainder of a ratio of counts is counted in what is counted: 3 of 1003
-- sessions that crash are 3 people's or fewer.
-- A sum is fragile where one person could dominate it: effective is the number of people who would give the same sum
-- and sum of squares if all gave alike, 4 or less where one person gives half. Where it is more, the largest gives less than
-- half and the second largest cannot tell the largest's amount closer than 73 % (the dominance rule and the p % rule, Hundepool
-- et al., Statistical Disclosure Control, 2012, 4.2.2: with a and b the two largest shares, a^2 + b^2 < 1/4, and then
-- (1 - a - b) / a > sqrt(3) - 1). amount is what is added up, norm the root of its sum of squares: what is hidden together
-- must not be one person's either. A score is fragile where nearly all answers agree: those who do not are then known.
-- The places of a metric (framework, stage) show the same cells and are judged once. Metrics made of others say nothing of
-- their own: they are shown where those are (suppress_metric_values.sql). Running totals add up otherwise (running_totals.py).
-- People who count on several days count once in their week. Where a day has nearly all of them, the rest are those who came on
-- other days alone, and few: such a day is small, too.
WITH weeks AS (
    SELECT DISTINCT metric, period_start AS week FROM cells WHERE period = 'week'
),
counted AS (
    SELECT DISTINCT ON (metric, segment, period, period_start)
        c.metric, c.segment, split_part(c.segment, '=', 1) AS dimension, c.period, c.period_start, c.period_end,
        coalesce(w.week, DATE '0001-01-01') AS week,
        coalesce(c.people, 0) AS people,
        CASE c.estimate
            WHEN 'proportion' THEN c.numerator
            WHEN 'count' THEN 0
            WHEN 'promoter_score' THEN 0
            WHEN 'mean' THEN coalesce(c.contributors, 0)
            WHEN 'ratio' THEN coalesce(c.contributors, 0)
            WHEN 'total' THEN coalesce(c.contributors, 0)
            WHEN 'quantile' THEN coalesce(c.contributors, 0)
            WHEN 'weighted' THEN coalesce(c.contributors, 0)
            -- not known what it is: as if it spoke of one person
            ELSE 1
        END AS part,
        CASE c.estimate
            WHEN 'proportion' THEN c.denominator - c.numerator
            WHEN 'weighted' THEN coalesce(c.people - c.contributors, 0)
            -- of attempts, sessions and other things that are counted
            WHEN 'ratio' THEN CASE
                WHEN c.numerator BETWEEN 0 AND c.denominator
                    AND c.numerator = floor(c.numerator) AND c.denominator = floor(c.denominator)
                THEN c.denominator - c.numerator ELSE 0 END
            ELSE 0
        END AS rest,
        CASE WHEN c.estimate IN ('mean', 'ratio', 'total') AND c.effective IS NOT NULL THEN c.numerator ELSE 0 END AS amount,
        CASE WHEN c.estimate IN ('mean', 'ratio', 'total') AND c.effective IS NOT NULL
            -- amounts that cancel out say nothing of their size
            THEN CASE WHEN c.effective > 0 THEN abs(c.numerator) / sqrt(c.effective) ELSE 'infinity'::DOUBLE END
            ELSE 0 END AS norm,
        coalesce(CASE
            WHEN c.estimate = 'promoter_score' THEN c.people - abs(c.numerator) BETWEEN 1 AND $k - 1
            -- what weights tell is judged where it is known which channels are hidden (suppress_metric_values.sql)
            WHEN c.estimate = 'weighted' THEN FALSE
            ELSE c.effective <= 4
        END, FALSE) AS fragile
    FROM cells c
    ASOF LEFT JOIN weeks w ON w.metric = c.metric AND c.period_start >= w.week
    WHERE c.components IS NULL AND c.estimate IS DISTINCT FROM 'running'
)
SELECT
    c.*,
    c.fragile OR c.people BETWEEN 1 AND $k - 1 OR c.part BETWEEN 1 AND $k - 1 OR c.rest BETWEEN 1 AND $k - 1
    OR (c.period = 'day' AND coalesce(
        w.people - c.people BETWEEN 1 AND $k - 1 OR w.part - c.part BETWEEN 1 AND $k - 1, FALSE)) AS small
FROM counted c
LEFT JOIN counted w ON w.metric = c.metric AND w.segment = c.segment AND w.period = 'week' AND w.period_start = c.week
