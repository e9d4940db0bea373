-- Lines by what became of them.
-- grain:  one row per batch and outcome
-- inputs: judged
SELECT batch, outcome, count(*) AS n FROM judged GROUP BY ALL ORDER BY ALL
