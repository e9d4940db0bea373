-- Which device was seen with which user, and which ids are said to be one, and when.
-- grain:  one row per batch, device or other id, and user
-- inputs: judged, ids
-- undeclared events link nobody: they are counted, nothing else
WITH pairs AS (
    -- on an event the other id is a further id of who acts: without a user it says who was seen on the device
    SELECT batch, occurred_at, 'device' AS domain, device_raw AS raw, CASE outcome WHEN 'alias' THEN user_raw ELSE coalesce(user_raw, alias_raw) END AS person
    FROM judged
    WHERE outcome IN ('event', 'identify') OR outcome = 'alias' AND alias_raw IS NULL
    UNION ALL
    SELECT batch, occurred_at, unnest(['device', 'user']), alias_raw, user_raw
    FROM judged
    WHERE outcome IN ('event', 'identify', 'alias') AND alias_raw IS NOT NULL
)
SELECT
    p.batch, d.surrogate AS device, u.surrogate AS person_actor,
    min(p.occurred_at) AS first_at, max(p.occurred_at) AS last_at
FROM pairs p
JOIN ids u ON u.domain = 'user' AND u.raw = p.person
JOIN ids d ON d.domain = p.domain AND d.raw = p.raw
WHERE p.occurred_at IS NOT NULL AND d.surrogate <> u.surrogate
GROUP BY ALL
ORDER BY ALL
