-- Alias calls, with what is known of the other id: is it a user's, is it a device's?
-- grain:  one row per user and other id
-- inputs: links, actors(actor, first_at)
-- An alias call does not say what kind of id it names, and it may arrive before either is seen. Known is who did
-- something or who a link names, so the answer depends on everything read so far and never on its order.
WITH called AS (
    SELECT person_actor AS member, other, device, min(first_at) AS first_at, max(last_at) AS last_at
    FROM links
    WHERE other IS NOT NULL
    GROUP BY ALL
)
SELECT
    *,
    other IN (SELECT actor FROM actors UNION ALL SELECT person_actor FROM links WHERE person_actor IS NOT NULL) AS is_user,
    device IN (SELECT actor FROM actors UNION ALL SELECT device FROM links WHERE other IS NULL AND device IS NOT NULL) AS is_device
FROM called
