-- Published metric values together with what their metric asks, means and aims at.
-- grain:  one row per metric, framework and stage, segment, kind of period and period
-- inputs: metric_values, metric_catalogue: as published, small cells hidden
-- params: places: every framework and stage, in the order a report shows them
-- latest marks the last complete period of its kind in each segment. A target speaks of everybody and of one kind of
-- period; there, and where the period is complete, meets_target is true if the whole interval is at least as good as the
-- target, false if all of it is worse, null if it cannot be said.
-- A limit speaks of everybody, in every kind of period; keeps_limit is true where the whole interval keeps it, false where none
-- of it does. A running total was counted: it is itself both ends of what it may be.
-- A value whose definition is no longer the metric's is marked: it must not be compared with the others.
SELECT
    v.framework,
    v.stage,
    list_position([$places], v.framework || ' ' || v.stage) AS stage_order,
    v.metric,
    c.title,
    c.question,
    c.goal,
    c.signal,
    c.owner,
    v.period,
    v.period_start,
    v.period_end,
    coalesce(v.complete AND v.period_start = max(v.period_start) FILTER (v.complete) OVER series, FALSE) AS latest,
    v.segment,
    split_part(v.segment, '=', 1) AS dimension,
    CASE WHEN contains(v.segment, '=') THEN substr(v.segment, instr(v.segment, '=') + 1) ELSE v.segment END AS label,
    v.value,
    v.unit,
    v.low,
    v.high,
    v.interval_method,
    v.numerator,
    v.denominator,
    v.people,
    v.complete,
    v.suppressed,
    v.reason,
    c.direction,
    CASE WHEN v.segment = 'all' AND v.period = c.target_period THEN c.target_value END AS target,
    CASE WHEN v.segment = 'all' AND v.period = c.target_period THEN c.target_by END AS target_by,
    CASE
        WHEN NOT v.complete OR v.segment <> 'all' OR v.period <> c.target_period THEN NULL
        WHEN c.direction = 'down' AND v.highest <= c.target_value THEN TRUE
        WHEN c.direction = 'down' AND v.lowest > c.target_value THEN FALSE
        WHEN c.direction <> 'down' AND v.lowest >= c.target_value THEN TRUE
        WHEN c.direction <> 'down' AND v.highest < c.target_value THEN FALSE
    END AS meets_target,
    CASE WHEN v.segment = 'all' THEN c.limit_value END AS limit_value,
    CASE
        WHEN NOT v.complete OR v.segment <> 'all' THEN NULL
        WHEN c.direction = 'down' AND v.highest <= c.limit_value THEN TRUE
        WHEN c.direction = 'down' AND v.lowest > c.limit_value THEN FALSE
        WHEN c.direction <> 'down' AND v.lowest >= c.limit_value THEN TRUE
        WHEN c.direction <> 'down' AND v.highest < c.limit_value THEN FALSE
    END AS keeps_limit,
    c.definition,
    v.definition_hash,
    v.definition_hash IS DISTINCT FROM c.definition_hash AS definition_changed,
    v.as_of,
    v.held_since,
    v.noise,
    v.noise_margin,
    v.epsilon,
    v.code_version
FROM (
    SELECT
        cell.*,
        CASE WHEN facts.kind = 'cumulative' THEN cell.value ELSE cell.low END AS lowest,
        CASE WHEN facts.kind = 'cumulative' THEN cell.value ELSE cell.high END AS highest
    FROM metric_values cell
    JOIN metric_catalogue facts USING (metric, framework, stage)
) v
JOIN metric_catalogue c USING (metric, framework, stage)
WINDOW series AS (PARTITION BY v.metric, v.framework, v.stage, v.segment, v.period)
