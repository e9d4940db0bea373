-- Lines that name somebody who was erased: whom they name, and whether they are that person's own.
-- grain:  one row per line that names one
-- inputs: judged, gone(domain, raw), held(raw, from_us, until_us): times in which a shared device was the person's
-- A line is the person's own where it names them as its user, or names no user and their device. Somebody else's line
-- only loses the id. What an event calls its other id never makes it somebody's.
SELECT
    j.rowid AS n,
    u.raw IS NOT NULL AS user_gone,
    d.raw IS NOT NULL AS device_gone,
    ou.raw IS NOT NULL OR od.raw IS NOT NULL AS other_gone,
    a.raw IS NOT NULL AS account_gone,
    CASE
        WHEN j.user_raw IS NULL THEN d.raw IS NOT NULL OR coalesce(h.inside, FALSE)
        WHEN j.outcome = 'alias' AND u.raw IS NULL
            THEN coalesce(CASE WHEN ou.raw IS NULL AND od.raw IS NULL THEN j.alias_raw END, CASE WHEN d.raw IS NULL THEN j.device_raw END) IS NULL
        ELSE u.raw IS NOT NULL
    END AS own
FROM judged j
LEFT JOIN gone u ON u.domain = 'user' AND u.raw = j.user_raw
LEFT JOIN gone d ON d.domain = 'device' AND d.raw = j.device_raw
LEFT JOIN gone ou ON ou.domain = 'user' AND ou.raw = j.alias_raw
LEFT JOIN gone od ON od.domain = 'device' AND od.raw = j.alias_raw
LEFT JOIN gone a ON a.domain = 'account' AND a.raw = j.account_raw
LEFT JOIN (
    SELECT DISTINCT k.rowid AS n, TRUE AS inside
    FROM judged k
    JOIN held w ON w.raw = k.device_raw
        AND epoch_us(k.occurred_at) > coalesce(w.from_us, -9223372036854775808)
        AND epoch_us(k.occurred_at) <= coalesce(w.until_us, 9223372036854775807)
    WHERE k.user_raw IS NULL
) h ON h.n = j.rowid
WHERE u.raw IS NOT NULL OR d.raw IS NOT NULL OR ou.raw IS NOT NULL OR od.raw IS NOT NULL OR a.raw IS NOT NULL OR h.inside
