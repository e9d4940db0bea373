-- Event ids that occur more than once, among the candidates or between them and the lake.
-- grain:  one row per repeated id
-- inputs: candidates, lake
CREATE TABLE repeated AS
SELECT event_id FROM candidates GROUP BY event_id HAVING count(*) > 1
UNION
SELECT event_id FROM lake SEMI JOIN candidates USING (event_id)
