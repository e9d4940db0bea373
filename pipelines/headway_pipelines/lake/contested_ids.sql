-- Ids whose copies do not all say the same, those already known left out, each with the batch of its worst copy.
-- grain:  one row per event id
-- inputs: ranked
CREATE OR REPLACE TEMP TABLE contested AS
SELECT event_id, arg_max(batch, rank) AS batch
FROM ranked
WHERE event_id NOT IN (SELECT event_id FROM (/* known */))
GROUP BY event_id
HAVING min(content) <> max(content)
