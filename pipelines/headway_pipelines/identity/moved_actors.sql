-- Actors that are new, gone, or known since another instant than before.
-- grain:  one row per actor
-- inputs: active(actor), earlier_actors(actor, first_at), actors_now(actor, first_at)
SELECT actor
FROM active
LEFT JOIN (FROM earlier_actors SEMI JOIN active USING (actor)) e USING (actor)
LEFT JOIN actors_now n USING (actor)
WHERE e.first_at IS DISTINCT FROM n.first_at
