-- How often each content occurred so far in the files of this group that may go on in the next one.
-- grain:  one row per batch and content
-- inputs: judged, seen
CREATE OR REPLACE TEMP TABLE seen AS
SELECT batch, content, sum(n)::BIGINT AS n
FROM (
    FROM seen
    UNION ALL
    SELECT batch, content, count(*) FROM judged WHERE outcome = 'event' AND message_id IS NULL GROUP BY ALL
)
WHERE batch = (SELECT max(batch) FROM judged)
GROUP BY ALL
