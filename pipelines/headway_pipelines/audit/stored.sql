-- How many different values a stored column of text has, and how many of them look personal.
-- grain:  one row
-- inputs: /* stored */: the files; /* column */: the column
-- params: personal: the detector's pattern
SELECT count(*), count(*) FILTER (regexp_matches(value, $personal))
FROM (SELECT DISTINCT /* column */::VARCHAR AS value FROM /* stored */)
WHERE value IS NOT NULL
