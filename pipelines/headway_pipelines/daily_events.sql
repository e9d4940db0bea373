-- Events by day and name.
-- grain:  one row per UTC day and event
-- inputs: lake
SELECT CAST(occurred_at AS DATE) AS day, event, count(*) AS events
FROM lake
GROUP BY ALL
ORDER BY ALL
