-- What the lines told as identifiers, each text once.
-- grain:  one row per domain and text; the domain is NULL for what stays outside, as the line does
-- inputs: judged
-- Whether the other id of an alias is a user's or a device's is not said.
SELECT DISTINCT domain, raw
FROM (
    SELECT CASE WHEN outcome IN ('event', 'identify', 'alias') THEN 'user' END AS domain, user_raw AS raw FROM judged
    UNION ALL
    SELECT CASE WHEN outcome IN ('event', 'identify', 'alias') THEN 'device' END, device_raw FROM judged
    UNION ALL
    SELECT CASE WHEN outcome IN ('event', 'identify', 'alias') THEN unnest(['user', 'device']) END, alias_raw
    FROM judged
    WHERE alias_raw IS NOT NULL
    UNION ALL
    SELECT CASE WHEN outcome = 'event' THEN 'account' END, account_raw FROM judged
)
WHERE raw IS NOT NULL
