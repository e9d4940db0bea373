-- Grain: one row per row of the files.
-- Inputs: Parquet files, their columns united by name, with a column line of their own.
-- Meaning: the events as stored.
CREATE VIEW events AS
SELECT *
FROM read_parquet($files, union_by_name = true)
