-- Grain: one row per row of the files.
-- Inputs: Parquet files, their columns united by name.
-- Meaning: the events as stored; the position in its file orders events of the same time.
CREATE VIEW events AS
SELECT * EXCLUDE (file_row_number), file_row_number AS line
FROM read_parquet($files, union_by_name = true, file_row_number = true)
