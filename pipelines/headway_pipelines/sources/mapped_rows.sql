-- Rows of a table (delimited text, Parquet) as mapped.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, fields)
-- The first part gives the columns a type where no file had any row.
SELECT batch, line, position, 'event' AS outcome, record AS content, fields
FROM (
    SELECT NULL::VARCHAR AS record, NULL::MAP(VARCHAR, VARCHAR) AS fields WHERE FALSE
    UNION ALL BY NAME
    FROM frames
)
