-- Who did something, and when first.
-- grain:  one row per actor
-- inputs: lake
SELECT actor, min(occurred_at) AS first_at FROM lake GROUP BY actor
