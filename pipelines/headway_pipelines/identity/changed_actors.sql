-- Whose events differ between files that are gone and files that came; most rows of a day written anew are as before.
-- grain:  one row per actor
-- inputs: $added, $removed: files of the lake
SELECT actor
FROM (
    SELECT actor, traffic, 1 AS n, hash(*COLUMNS(* EXCLUDE (batch))) AS content
    FROM read_parquet($added, hive_partitioning = false)
    UNION ALL
    SELECT actor, traffic, -1 AS n, hash(*COLUMNS(* EXCLUDE (batch))) AS content
    FROM read_parquet($removed, hive_partitioning = false)
)
WHERE traffic = 'people'
GROUP BY actor
HAVING sum(n) <> 0 OR bit_xor(content) <> 0
