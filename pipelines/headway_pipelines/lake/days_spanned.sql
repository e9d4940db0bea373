-- How many days the row groups of some event files span on average.
-- grain:  one row; null where the files hold no row
-- inputs: $paths
SELECT avg(
    date_diff('day', TRY_CAST(stats_min_value AS TIMESTAMP), TRY_CAST(stats_max_value AS TIMESTAMP)) + 1
) AS days
FROM parquet_metadata($paths)
WHERE path_in_schema = 'occurred_at'
