-- Sets of property names in which a name occurs twice, by their hash.
-- grain:  one row per set
-- inputs: judged
-- Lines that have the same names, in the same order, are many; each such list is looked at once.
SELECT hashed
FROM (
    SELECT hash(property_names) AS hashed, any_value(property_names) AS names
    FROM judged
    WHERE property_names IS NOT NULL
    GROUP BY hashed
)
WHERE len(names) <> len(list_distinct(names))
ORDER BY hashed
