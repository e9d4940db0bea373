-- Ids whose copies do not all say the same, those already known left out: where the copy is that stays, and where the
-- worst of those that say something else.
-- grain:  one row per event id
-- inputs: ranked
CREATE OR REPLACE TEMP TABLE contested AS
WITH ids AS (
    SELECT event_id
    FROM ranked
    WHERE event_id NOT IN (SELECT event_id FROM (/* known */))
    GROUP BY event_id
    HAVING min(content) <> max(content)
)
SELECT
    k.event_id, k.batch AS kept_batch, k.line AS kept_line,
    arg_max(r.batch, r.rank) AS batch, arg_max(r.line, r.rank) AS line
FROM ranked k
SEMI JOIN ids USING (event_id)
JOIN ranked r ON r.event_id = k.event_id AND r.content <> k.content
WHERE k.rank = 1
GROUP BY k.event_id, k.batch, k.line
