-- All copies of repeated events, best first. Order-free by construction: only what the copies say is compared.
-- grain:  one row per copy
-- inputs: repeated, candidates, lake
-- No property can take a name with a colon.
CREATE TABLE ranked AS
SELECT
    event_id, occurred_at, "is:live" AS is_live, "from:file" AS file, file_row_number, batch, line, /* content */ AS content,
    row_number() OVER (PARTITION BY event_id ORDER BY /* order */, "is:live" DESC, batch, "from:file", file_row_number) AS rank
FROM (
    SELECT *, FALSE AS "is:live" FROM candidates SEMI JOIN repeated USING (event_id)
    UNION ALL BY NAME
    SELECT *, TRUE AS "is:live" FROM lake SEMI JOIN repeated USING (event_id)
)
