-- The different values of a stored column of text; where it holds values of many properties, those of each.
-- grain:  one row per property and value
-- inputs: /* stored */: the files; /* column */: the column; /* property */: the column that names the property, or NULL
SELECT DISTINCT (/* property */)::VARCHAR AS property, /* column */::VARCHAR AS value
FROM /* stored */
WHERE /* column */ IS NOT NULL
ORDER BY property
