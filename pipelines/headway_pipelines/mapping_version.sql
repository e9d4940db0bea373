-- Fingerprint and size of the mapping. Equal mappings have equal fingerprints, however they came about.
-- grain:  one row
-- inputs: mapping(actor, person)
SELECT
    left(md5(coalesce(string_agg(actor::VARCHAR || '>' || person::VARCHAR, ',' ORDER BY actor), '')), 16) AS version,
    count(*) AS actors,
    count(DISTINCT person) AS people
FROM mapping
