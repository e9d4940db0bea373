-- No exchange rates, where a workspace has none.
--
-- grain:  no rows.
-- inputs: none.
SELECT CAST(NULL AS DATE) AS day, CAST(NULL AS VARCHAR) AS currency, CAST(NULL AS DOUBLE) AS rate
WHERE FALSE
