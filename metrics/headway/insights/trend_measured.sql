-- Grain: one row per breakdown value and period with events.
-- Inputs: matched (or what else is counted).
-- Meaning: the measure of the period's rows.
SELECT touch, period, $measure AS value
FROM $counted
GROUP BY touch, period
