-- People whose events or members changed: whom the moved actors belonged to, and whom they belong to.
-- grain:  one row per person
-- inputs: moved(actor), people_before, people_after (actor, person), spans_before, spans_after (actor, person)
SELECT person FROM people_before SEMI JOIN moved USING (actor)
UNION
SELECT person FROM people_after SEMI JOIN moved USING (actor)
UNION
SELECT person FROM spans_before SEMI JOIN moved USING (actor)
UNION
SELECT person FROM spans_after SEMI JOIN moved USING (actor)
