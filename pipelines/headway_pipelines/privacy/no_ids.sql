-- Texts that stand in place of an identifier and are none.
-- grain:  one row per text
-- inputs: told; $no_id
-- An identifier is often longer than any such text: a glance at the length spares the comparison.
SELECT DISTINCT raw
FROM told
WHERE (strlen(raw) < 33 OR contains(raw, '0000-0000')) AND lower(trim(raw, e' \t\r\n')) IN $no_id
ORDER BY raw
