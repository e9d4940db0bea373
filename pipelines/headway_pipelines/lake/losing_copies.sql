-- Copies that lose, by the batch they came in; n_contested of them stand for an id whose copies do not all say the same.
-- grain:  one row per batch
-- inputs: ranked, contested(event_id, batch)
SELECT batch, sum(n_losing)::BIGINT AS n_losing, sum(n_contested)::BIGINT AS n_contested
FROM (
    SELECT batch, count(*) AS n_losing, 0 AS n_contested FROM ranked WHERE rank > 1 GROUP BY batch
    UNION ALL
    SELECT batch, 0, count(*) FROM contested GROUP BY batch
)
GROUP BY batch
ORDER BY batch
