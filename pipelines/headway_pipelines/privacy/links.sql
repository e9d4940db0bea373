-- Which device was seen with which user, and when.
-- grain:  one row per batch, device and user
-- inputs: judged, ids
-- undeclared events link nobody: they are counted, nothing else
SELECT
    j.batch, d.surrogate AS device, u.surrogate AS person_actor,
    min(j.occurred_at) AS first_at, max(j.occurred_at) AS last_at
FROM judged j
JOIN ids u ON u.domain = 'user' AND u.raw = j.user_raw
JOIN ids d ON d.domain = 'device' AND d.raw = CASE j.outcome WHEN 'alias' THEN coalesce(j.alias_raw, j.device_raw) ELSE j.device_raw END
WHERE j.outcome IN ('event', 'identify', 'alias') AND j.occurred_at IS NOT NULL
GROUP BY ALL
ORDER BY ALL
