-- Users and devices of whom something is said for the first time, and who did nothing themselves.
-- grain:  one row per id
-- inputs: described(actor), earlier_actors(actor), strangers_before(actor)
FROM described ANTI JOIN earlier_actors USING (actor) ANTI JOIN strangers_before USING (actor)
