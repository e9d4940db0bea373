-- Raw lines that name erased people, and whether everything in a line is theirs.
-- grain:  one row per batch and line
-- inputs: judged, erased_rows
SELECT j.batch, j.line, bool_and(coalesce(e.own, FALSE)) AS own
FROM judged j
LEFT JOIN erased_rows e ON e.n = j.rowid
GROUP BY j.batch, j.line
HAVING count(e.n) > 0
ORDER BY j.batch, j.line
