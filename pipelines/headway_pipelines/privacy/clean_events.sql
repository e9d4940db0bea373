-- Events as the lake stores them: surrogates for identifiers, typed values of declared properties.
-- grain:  one row per event
-- inputs: typed, ids, hashed(n, event_id)
SELECT
    h.event_id::UUID AS event_id,
    coalesce(u.surrogate, d.surrogate) AS actor,
    a.surrogate AS account,
    t.event, t.occurred_at, t.client_at, t.received_at, t.line::UINTEGER AS line, t.batch::UINTEGER AS batch,
    $source AS source, t.traffic
    /* columns */
FROM typed t
JOIN hashed h USING (n)
LEFT JOIN ids u ON u.domain = 'user' AND u.raw = t.user_raw
LEFT JOIN ids d ON d.domain = 'device' AND d.raw = t.device_raw
LEFT JOIN ids a ON a.domain = 'account' AND a.raw = t.account_raw
/* joins */
