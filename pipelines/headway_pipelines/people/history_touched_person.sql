-- People of whose properties something may be new: whose actors were, or are, those that something new is said of or that
-- somebody else may be now.
-- grain:  one row per person
-- inputs: fresh(actor): of whom something new is said; affected(actor): whose person was derived again
--         people_before, spans_before, strangers_before, actor_person, device_spans, strangers (actor, person)
WITH moved AS (
    SELECT actor FROM fresh
    UNION
    SELECT actor FROM affected
)
SELECT DISTINCT person
FROM (
    -- who did nothing and is nobody else's is a person of their own
    SELECT actor AS person FROM moved
    UNION ALL
    SELECT person FROM people_before SEMI JOIN moved USING (actor)
    UNION ALL
    SELECT person FROM spans_before SEMI JOIN moved USING (actor)
    UNION ALL
    SELECT person FROM strangers_before SEMI JOIN moved USING (actor)
    UNION ALL
    SELECT person FROM actor_person SEMI JOIN moved USING (actor)
    UNION ALL
    SELECT person FROM device_spans SEMI JOIN moved USING (actor)
    UNION ALL
    SELECT person FROM strangers SEMI JOIN moved USING (actor)
)
WHERE person IS NOT NULL
