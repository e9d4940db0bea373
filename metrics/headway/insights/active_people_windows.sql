-- Grain: one row per length of the window.
-- Inputs: none.
-- Meaning: the windows asked for, in local days.
SELECT window_days
FROM $rows
