-- Who did something in one file of the lake, and when first there; bots and the team's own traffic are nobody.
-- grain:  one row per actor
-- inputs: $file
SELECT actor, min(occurred_at) AS first_at FROM read_parquet($file, hive_partitioning = false)
WHERE traffic = 'people'
GROUP BY actor
