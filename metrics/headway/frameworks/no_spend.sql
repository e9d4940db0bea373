-- No money spent, where a workspace does not say what was.
--
-- grain:  no rows.
-- inputs: none.
SELECT CAST(NULL AS DATE) AS day, CAST(NULL AS VARCHAR) AS channel, CAST(NULL AS DOUBLE) AS amount, CAST(NULL AS VARCHAR) AS currency
WHERE FALSE
