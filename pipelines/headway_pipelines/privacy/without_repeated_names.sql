-- Properties of which two have one name cannot be told apart: their lines do not pass.
-- grain:  one row per such line
-- inputs: judged; $hashed, see repeated_names.sql
UPDATE judged SET outcome = 'unusable properties', property_names = NULL, property_texts = NULL
WHERE hash(property_names) IN (SELECT unnest($hashed)) AND len(property_names) <> len(list_distinct(property_names))
