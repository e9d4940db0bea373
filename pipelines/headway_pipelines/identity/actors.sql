-- Who did something, and when first.
-- grain:  one row per actor
-- inputs: $files, one per lake file (see file_actors.sql)
SELECT actor, min(first_at) AS first_at FROM read_parquet($files, hive_partitioning = false) GROUP BY actor
