-- Those who did nothing themselves and of whom something is said, where nobody is joined with anybody.
-- grain:  one row per id
-- inputs: described(actor), actors(actor)
SELECT actor, NULL::TIMESTAMP AS valid_from, NULL::TIMESTAMP AS valid_to, actor AS person
FROM described ANTI JOIN actors USING (actor)
