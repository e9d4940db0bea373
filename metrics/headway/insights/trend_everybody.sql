-- Grain: one row.
-- Inputs: none.
-- Meaning: without a breakdown there is one group, also where there are no events.
SELECT '(all)' AS touch
