-- Metric values as they may be published after earlier publications.
-- grain:  one row per metric, place, segment, period and period start (n keeps the order)
-- inputs: cells = metric_values, small ones hidden; counts = the same, none hidden
--         released: every cell as it was ever published, with the counts behind it and the number of its publication
--         told: cells whose difference from an earlier publication must not be known
-- params: k: smallest number of people that may be spoken of
-- A cell whose difference would tell of fewer than k people stays as it was published: then it is wrong by fewer than k people,
-- and by no more than its interval says. Where that is not so, or the question has changed, it is hidden. Cells that stay
-- beside a small difference, so that it cannot be worked out, say the same, also where they did not change at all.
WITH latest AS (
    FROM released
    QUALIFY publication_number = max(publication_number) OVER (PARTITION BY metric, framework, stage, segment, period, period_start)
),
-- labels of a segment that add up to everybody: one that was hidden before may not fill the gap that another one leaves
lines AS (
    SELECT DISTINCT metric, split_part(segment, '=', 1) AS dimension, period, period_start FROM told WHERE segment <> 'all'
),
judged AS (
    SELECT
        c.*,
        l.metric IS NULL AND NOT c.suppressed AND g.metric IS NOT NULL AS gap,
        t.metric IS NOT NULL AND NOT c.suppressed AS stays,
        l.definition_hash = c.definition_hash
        AND abs(i.people - l.people) < $k
        AND abs(coalesce(i.contributors, 0) - coalesce(l.contributors, 0)) < $k
        AND (i.estimate NOT IN ('count', 'proportion') OR abs(i.numerator - l.numerator) < $k)
        AND (l.low IS NULL OR i.value BETWEEN l.low AND l.high)
        AND (l.low IS NOT NULL OR i.estimate IN ('count', 'proportion', 'running')) AS near,
        l.value AS old_value, l.numerator AS old_numerator, l.denominator AS old_denominator, l.people AS old_people,
        l.low AS old_low, l.high AS old_high, l.interval_method AS old_method, l.as_of AS old_as_of,
        l.code_version AS old_code
    FROM cells c
    JOIN (SELECT n, value, numerator, people, contributors, estimate FROM counts) i USING (n)
    LEFT JOIN latest l USING (metric, framework, stage, segment, period, period_start)
    LEFT JOIN told t USING (metric, framework, stage, segment, period, period_start)
    LEFT JOIN lines g
        ON g.metric = c.metric AND g.dimension = split_part(c.segment, '=', 1) AND g.period = c.period
        AND g.period_start = c.period_start
)
SELECT
    * EXCLUDE (n, gap, stays, near, old_value, old_numerator, old_denominator, old_people, old_low, old_high, old_method,
        old_as_of, old_code)
    REPLACE (
        CASE WHEN gap THEN NULL WHEN NOT stays THEN value WHEN near THEN old_value END AS value,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN numerator WHEN near THEN old_numerator END AS numerator,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN denominator WHEN near THEN old_denominator END AS denominator,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN people WHEN near THEN old_people END AS people,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN low WHEN near THEN old_low END AS low,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN high WHEN near THEN old_high END AS high,
        CASE WHEN gap THEN NULL WHEN NOT stays THEN interval_method WHEN near THEN old_method END AS interval_method,
        suppressed OR gap OR (stays AND NOT near) AS suppressed,
        CASE WHEN gap THEN 'fewer than ' || $k || ' people, or would reveal so few' WHEN NOT stays THEN reason
            WHEN near THEN 'as published before: fewer than ' || $k || ' people changed it'
            ELSE 'changed since it was published, in a way that would tell of fewer than ' || $k || ' people' END AS reason,
        CASE WHEN stays AND near THEN old_as_of ELSE as_of END AS as_of,
        CASE WHEN stays AND near THEN old_code ELSE code_version END AS code_version
    ),
    CASE WHEN stays AND near THEN old_as_of END AS held_since
FROM judged
ORDER BY n
