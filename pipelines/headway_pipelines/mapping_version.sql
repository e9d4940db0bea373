-- Fingerprint and size of the mapping. Equal mappings have equal fingerprints, however they came about.
-- grain:  one row
-- inputs: mapping(actor, person), spans(actor, valid_from, valid_to, person)
-- a combination of hashes that knows no order and needs no memory
SELECT left(lower(to_hex(md5_number(concat_ws(':',
    (SELECT bit_xor(md5_number(actor::VARCHAR || '>' || person::VARCHAR)) FROM mapping),
    (SELECT bit_xor(md5_number(concat_ws('>', actor, coalesce(valid_from::VARCHAR, ''), person))) FROM spans)
)))), 16) AS version,
    (SELECT count(*) FROM mapping) AS actors
