-- Grain: one row per group.
-- Inputs: ev, the events with their group.
-- Meaning: the groups of events that count.
SELECT DISTINCT breakdown
FROM ev
WHERE $counted
ORDER BY breakdown
