-- Where rejected lines are. Grain: rejected line. Inputs: rejects, batches.
SELECT b.label AS file, r.line, r.position, r.reason
FROM rejects r JOIN batches b USING (batch)
ORDER BY b.batch, r.line
LIMIT ?
