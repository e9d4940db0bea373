-- All copies of repeated events, best first: smallest arrival, then smallest content. Order-free by construction.
-- grain:  one row per copy
-- inputs: repeated, candidates, lake
CREATE TEMP TABLE ranked AS
SELECT
    event_id, occurred_at, live, filename, file_row_number,
    row_number() OVER (PARTITION BY event_id ORDER BY /* order */, live DESC, batch, filename, file_row_number) AS rank
FROM (
    SELECT *, FALSE AS live FROM candidates SEMI JOIN repeated USING (event_id)
    UNION ALL BY NAME
    SELECT *, TRUE AS live FROM lake SEMI JOIN repeated USING (event_id)
)
