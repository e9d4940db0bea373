-- Who was seen on which device: from when to when, and when somebody last logged out there.
-- grain:  one row per device and user; member is NULL for a log-out that names nobody
-- inputs: links, aliases
-- an alias whose other id is no known user names a device
SELECT device, member, min(first_at) AS first_at, max(last_at) AS last_at, max(logout_at) AS logout_at
FROM (
    SELECT device, person_actor AS member, first_at, last_at, logout_at FROM links WHERE other IS NULL AND device IS NOT NULL
    UNION ALL
    SELECT device, member, first_at, last_at, NULL FROM aliases WHERE is_device OR NOT is_user
)
GROUP BY device, member
