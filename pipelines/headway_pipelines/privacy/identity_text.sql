-- The text whose keyed hash identifies an event: the tracker's own id, else content and its how-manieth occurrence.
-- grain:  one row per event; n is its row in judged
-- inputs: judged, seen(batch, content, n): how often each content occurred earlier in the same file
-- A line that occurs twice in one file is two events; the same file under another name is the same events.
SELECT
    j.rowid AS n,
    CASE
        WHEN j.message_id IS NOT NULL THEN 'id:' || j.message_id
        ELSE 'content:' || j.content || ':'
            || (coalesce(s.n, 0) + row_number() OVER (PARTITION BY j.message_id IS NULL, j.batch, j.content ORDER BY j.rowid))
    END AS text
FROM judged j
LEFT JOIN seen s ON j.message_id IS NULL AND s.batch = j.batch AND s.content = j.content
WHERE j.outcome = 'event'
