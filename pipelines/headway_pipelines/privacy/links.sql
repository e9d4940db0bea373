-- Which device was seen with which user, which ids are said to be one, and when somebody logged out.
-- grain:  one row per batch, device, user and other id
-- inputs: judged, ids
-- kinds:  other is NULL: device was seen with person_actor (NULL: a log-out that names nobody), last log-out at logout_at
--         device is NULL: person_actor is no user but a vendor's own number of a person
--         other is not NULL: person_actor is said to be the id that is `other` as a user's and `device` as a device's
-- undeclared events link nobody: they are counted, nothing else; a time that cannot be is none
WITH usable AS (
    SELECT
        batch, user_raw, device_raw, alias_raw,
        -- on an event the other id is a further id of who acts: without a user it says who was seen on the device
        CASE outcome WHEN 'alias' THEN user_raw ELSE coalesce(user_raw, alias_raw) END AS who,
        outcome = 'event' AND event IN $logout AS is_logout,
        CASE
            WHEN occurred_at BETWEEN $ancient AND coalesce(received_at, $now) + to_microseconds($tolerance_us)
            THEN occurred_at
        END AS happened_at
    FROM judged
    WHERE outcome IN ('event', 'identify', 'alias')
),
said AS (
    SELECT
        batch, device_raw AS named, NULL AS alias_raw, who AS user_raw,
        min(happened_at) FILTER (who IS NOT NULL) AS first_at, max(happened_at) FILTER (who IS NOT NULL) AS last_at,
        max(happened_at) FILTER (is_logout) AS logout_at
    FROM usable
    WHERE device_raw IS NOT NULL AND (who IS NOT NULL OR is_logout)
    GROUP BY ALL
    UNION ALL
    SELECT batch, alias_raw, alias_raw, user_raw, min(happened_at), max(happened_at), NULL
    FROM usable
    WHERE alias_raw IS NOT NULL AND user_raw IS NOT NULL
    GROUP BY ALL
),
told AS (
    FROM said
    UNION ALL
    SELECT DISTINCT batch, NULL, NULL, id, NULL::TIMESTAMP, NULL::TIMESTAMP, NULL::TIMESTAMP
    FROM (SELECT batch, unnest([user_raw, alias_raw]) AS id FROM said WHERE $numbers <> '')
    WHERE starts_with(id, $numbers)
)
SELECT
    s.batch, d.surrogate AS device, o.surrogate AS other, u.surrogate AS person_actor,
    min(first_at) AS first_at, max(last_at) AS last_at, max(logout_at) AS logout_at
FROM told s
LEFT JOIN ids d ON d.domain = 'device' AND d.raw = s.named
LEFT JOIN ids o ON o.domain = 'user' AND o.raw = s.alias_raw
LEFT JOIN ids u ON u.domain = 'user' AND u.raw = s.user_raw
GROUP BY ALL
ORDER BY ALL
