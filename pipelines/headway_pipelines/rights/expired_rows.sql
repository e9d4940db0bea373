-- Events of some files of the lake that are older than what is kept of them.
-- grain:  one row per file and batch with such events
-- inputs: $files, limits(event, first_day)
SELECT l."from:file" AS file, l.batch, count(*) AS n
FROM read_parquet($files, hive_partitioning = false, filename = 'from:file') l
JOIN limits k USING (event)
WHERE l.occurred_at < k.first_day
GROUP BY ALL
ORDER BY ALL
