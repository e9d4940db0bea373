-- Fingerprint and size of a mapping or of a part of one. Fingerprints of parts that share no actor add up by XOR.
-- grain:  one row
-- inputs: pairs(actor, person), stretches(actor, valid_from, valid_to, person)
-- a combination of hashes that knows no order and needs no memory
SELECT
    (SELECT coalesce(bit_xor(md5_number(actor::VARCHAR || '>' || person::VARCHAR)), 0)::VARCHAR FROM pairs) AS pairs,
    (SELECT coalesce(bit_xor(md5_number(concat_ws('>', actor, coalesce(valid_from::VARCHAR, ''), person))), 0)::VARCHAR FROM stretches) AS stretches,
    (SELECT count(*) FROM pairs) AS actors
