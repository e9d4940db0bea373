-- The common shape: what a source does not yield is NULL.
-- grain:  one row per event shape row
-- inputs: yielded (the source's own SELECT)
SELECT /* columns */ WHERE FALSE
UNION ALL BY NAME
SELECT * FROM yielded
