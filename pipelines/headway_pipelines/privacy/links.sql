-- Which device was seen with which user, and when; and which id is said to be another id of whom.
-- grain:  one row per batch, device and user
-- inputs: judged, ids
-- undeclared events link nobody: they are counted, nothing else
WITH pairs AS (
    SELECT batch, occurred_at, device_raw AS device, 'user' AS domain, user_raw AS person
    FROM judged
    WHERE outcome IN ('event', 'identify') OR outcome = 'alias' AND alias_raw IS NULL
    UNION ALL
    -- without a user the other id is one of the device itself
    SELECT
        batch, occurred_at, alias_raw, CASE WHEN user_raw IS NULL THEN 'device' ELSE 'user' END, coalesce(user_raw, device_raw)
    FROM judged
    WHERE outcome IN ('event', 'alias') AND alias_raw IS NOT NULL
)
SELECT
    p.batch, d.surrogate AS device, u.surrogate AS person_actor,
    min(p.occurred_at) AS first_at, max(p.occurred_at) AS last_at
FROM pairs p
JOIN ids u ON u.domain = p.domain AND u.raw = p.person
JOIN ids d ON d.domain = 'device' AND d.raw = p.device
WHERE p.occurred_at IS NOT NULL AND d.surrogate <> u.surrogate
GROUP BY ALL
ORDER BY ALL
