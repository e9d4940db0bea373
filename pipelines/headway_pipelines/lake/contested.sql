-- Where copies of an event are that say something else than the copy that stays, and where that one was when they met.
-- Grain: located id. Inputs: contested, batches. What is kept of a file goes when the file is forgotten.
SELECT b.label AS file, c.line, k.label AS kept_file, c.kept_line
FROM contested c JOIN batches b USING (batch) LEFT JOIN batches k ON k.batch = c.kept_batch
ORDER BY b.batch, c.line, k.batch, c.kept_line
LIMIT ?
