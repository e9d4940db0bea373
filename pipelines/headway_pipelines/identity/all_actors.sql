-- Who did something, and when first, brought up to date.
-- grain:  one row per actor
-- inputs: earlier_actors(actor, first_at), active(actor), actors_now(actor, first_at)
FROM earlier_actors ANTI JOIN active USING (actor)
UNION ALL
FROM actors_now
