-- Events of people by day and name.
-- grain:  one row per UTC day and event
-- inputs: lake
SELECT CAST(occurred_at AS DATE) AS day, event, count(*) AS events
FROM lake
WHERE traffic = 'people'
GROUP BY ALL
ORDER BY ALL
