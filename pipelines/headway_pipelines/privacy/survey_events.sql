-- Events by name.
-- grain:  one row per event name, the most frequent first
-- inputs: judged
SELECT event, count(*) AS events, count(DISTINCT coalesce(user_raw, device_raw)) AS actors
FROM judged
WHERE outcome = 'event'
GROUP BY event
ORDER BY events DESC, event
