-- Persons who had events of an actor that is somebody else's now, or nobody's.
-- grain:  one row per number of a person
-- inputs: earlier_owners, owners (id, actor, spanned, from_us, until_us, person)
SELECT DISTINCT person FROM earlier_owners
WHERE id IN (
    SELECT id FROM (FROM earlier_owners EXCEPT FROM owners)
    UNION
    SELECT id FROM (FROM owners EXCEPT FROM earlier_owners)
)
