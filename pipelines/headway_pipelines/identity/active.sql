-- Who did something that is new.
-- grain:  one row per actor
-- inputs: $files, lists of actors
SELECT DISTINCT actor FROM read_parquet($files, hive_partitioning = false)
