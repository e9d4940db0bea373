-- Since when those are known of whose events something changed.
-- grain:  one row per actor
-- inputs: known (rows of actor and first_at), active(actor)
SELECT actor, min(first_at) AS first_at FROM known SEMI JOIN active USING (actor) GROUP BY actor
