-- The actors of some people, also those that belonged to them for a time.
-- grain:  one row per actor
-- inputs: touched_people(person), people_after(actor, person), spans_after(actor, person)
FROM people_after
SEMI JOIN (
    SELECT actor FROM people_after SEMI JOIN touched_people USING (person)
    UNION
    SELECT actor FROM spans_after SEMI JOIN touched_people USING (person)
) USING (actor)
