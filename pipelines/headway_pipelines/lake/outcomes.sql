-- Lines by what became of them. Grain: source, batch state, outcome. Inputs: batches, outcomes.
SELECT b.source, b.state, o.outcome, sum(o.n) AS lines
FROM outcomes o JOIN batches b USING (batch)
GROUP BY b.source, b.state, o.outcome
ORDER BY b.source, b.state, lines DESC, o.outcome
