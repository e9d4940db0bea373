-- Hours in which events came or went.
-- grain:  one row per hour, counted from 1970 UTC
-- inputs: news_events(occurred_at)
SELECT DISTINCT CAST(floor(epoch_us(occurred_at) / 3600000000) AS BIGINT) AS hour
FROM news_events
