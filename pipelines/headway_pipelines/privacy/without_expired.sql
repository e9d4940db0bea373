-- Lines that are older than what is kept do not pass.
-- grain:  one row per such line
-- inputs: judged, limits(event, first_day); the event '' stands for calls that are no events; $outcome
UPDATE judged SET outcome = $outcome
FROM limits
WHERE limits.event = CASE WHEN outcome = 'event' THEN judged.event ELSE '' END
    AND outcome IN ('event', 'identify', 'group', 'alias')
    AND judged.occurred_at < limits.first_day
