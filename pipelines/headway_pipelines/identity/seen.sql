-- Who was seen on which device, users that aliases join taken as one.
-- grain:  one row per device and person; person is NULL for a log-out that names nobody
-- inputs: sightings, heads(member, head)
SELECT
    device, coalesce(h.head, s.member) AS person,
    min(first_at) AS first_at, max(last_at) AS last_at, max(logout_at) AS logout_at
FROM sightings s LEFT JOIN heads h ON h.member = s.member
GROUP BY device, coalesce(h.head, s.member)
