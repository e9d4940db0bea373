-- The values of one metric.
-- grain:  one row per segment, kind of period and period
-- inputs: cells: published metric values with what their metric means (published_cells.sql)
-- params: metric, framework, stage: the metric and the first place that reports it; every place has the same values
SELECT * EXCLUDE (framework, stage, stage_order, metric, title, question, goal, signal, owner)
FROM cells
WHERE metric = $metric AND framework = $framework AND stage = $stage
