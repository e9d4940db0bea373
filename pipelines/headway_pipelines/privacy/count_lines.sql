-- Lines read. A line of a batched request holds several events and is one line.
-- grain:  one row per batch
-- inputs: judged
SELECT batch, count(DISTINCT line) AS lines FROM judged GROUP BY ALL ORDER BY ALL
