-- All copies of repeated events, best first. Order-free by construction: only what the copies say is compared.
-- grain:  one row per copy
-- inputs: repeated, candidates, lake
CREATE TEMP TABLE ranked AS
SELECT
    event_id, occurred_at, live, filename, file_row_number, batch, /* content */ AS content,
    row_number() OVER (PARTITION BY event_id ORDER BY /* order */, live DESC, batch, filename, file_row_number) AS rank
FROM (
    SELECT *, FALSE AS live FROM candidates SEMI JOIN repeated USING (event_id)
    UNION ALL BY NAME
    SELECT *, TRUE AS live FROM lake SEMI JOIN repeated USING (event_id)
)
