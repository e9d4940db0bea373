-- By how much metric values differ from what was published of the same cells, as if the differences were metric values.
-- grain:  one row per metric, place, segment, period and period start that was ever published
-- inputs: cells = metric_values, small ones not hidden
--         released: every cell as it was ever published, with the counts behind it and the number of its publication
-- params: k: smallest number of people that may be spoken of
--         basis: what values hang on beside events and definitions (side inputs), as of now
-- Who keeps an old publication subtracts it from the new one. Each count is compared with all releases: a difference of 1 to
-- k-1 people from any of them is taken, else the one from the latest. Where no count differs but a value does, somebody's
-- amount or answer changed: that is one person's difference, unless the question, the code or side inputs changed as well.
-- Squares of what was added are at most the difference of the squares, so that effective is that of the difference.
WITH pairs AS (
    SELECT
        c.*,
        r.publication_number,
        abs(c.people - r.people) AS d_people,
        abs(coalesce(c.contributors, 0) - coalesce(r.contributors, 0)) AS d_contributors,
        abs(coalesce(c.numerator, 0) - coalesce(r.numerator, 0)) AS d_part,
        abs(coalesce(c.denominator - c.numerator, 0) - coalesce(r.denominator - r.numerator, 0)) AS d_rest,
        abs(coalesce(c.numerator * c.numerator / nullif(c.effective, 0), 0)
            - coalesce(r.numerator * r.numerator / nullif(r.effective, 0), 0)) AS d_squares,
        c.definition_hash = r.definition_hash AND c.code_version = r.code_version AND r.basis = $basis AS alike,
        alike AND c.components IS NULL
        AND (abs(coalesce(c.value, 0) - coalesce(r.value, 0)) > 1e-9 * abs(coalesce(r.value, 0))
            OR abs(coalesce(c.numerator, 0) - coalesce(r.numerator, 0)) > 1e-9 * abs(coalesce(r.numerator, 0))
            OR abs(coalesce(c.denominator, 0) - coalesce(r.denominator, 0)) > 1e-9 * abs(coalesce(r.denominator, 0))
        ) AS moved,
        c.estimate IN ('count', 'proportion') AS counted
    FROM cells c
    JOIN released r USING (metric, framework, stage, segment, period, period_start)
),
differences AS (
    SELECT
        metric, framework, stage, segment, period, period_start, estimate, components, counted,
        any_value(period_end) AS period_end,
        any_value(complete) AS complete,
        coalesce(min(d_people) FILTER (d_people BETWEEN 1 AND $k - 1), arg_max(d_people, publication_number)) AS people,
        coalesce(min(d_contributors) FILTER (d_contributors BETWEEN 1 AND $k - 1), arg_max(d_contributors, publication_number))
            AS contributors,
        CASE WHEN counted THEN coalesce(min(d_part) FILTER (d_part BETWEEN 1 AND $k - 1), arg_max(d_part, publication_number))
            ELSE arg_max(d_part, publication_number) END AS part,
        CASE WHEN counted THEN coalesce(min(d_rest) FILTER (d_rest BETWEEN 1 AND $k - 1), arg_max(d_rest, publication_number))
            ELSE arg_max(d_rest, publication_number) END AS rest,
        arg_max(d_squares, publication_number) AS squares,
        arg_max(moved, publication_number) AS moved,
        arg_max(alike, publication_number) AS alike
    FROM pairs
    GROUP BY metric, framework, stage, segment, period, period_start, estimate, components, counted
)
SELECT
    * EXCLUDE (counted, part, rest, squares, moved, alike) REPLACE (
        CASE WHEN moved AND people = 0 AND contributors = 0 AND NOT (counted AND (part > 0 OR rest > 0)) THEN 1
            ELSE people END AS people,
        -- what a total was moved by, it was moved by at all later points too: of each the people count
        CASE WHEN estimate = 'running' THEN 'count' ELSE estimate END AS estimate),
    part AS numerator,
    part + rest AS denominator,
    CASE WHEN alike AND squares > 0 AND estimate <> 'weighted' THEN part * part / squares END AS effective
FROM differences
