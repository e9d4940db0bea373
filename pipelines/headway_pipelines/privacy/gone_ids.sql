-- What the lines of a group call users, devices and accounts, whatever becomes of the lines.
-- grain:  one row per domain and text
-- inputs: judged
-- Whether the other id of an alias is a user's or a device's is not said.
SELECT DISTINCT domain, raw
FROM (
    SELECT 'user' AS domain, user_raw AS raw FROM judged
    UNION ALL SELECT 'device', device_raw FROM judged
    UNION ALL SELECT 'account', account_raw FROM judged
    UNION ALL SELECT unnest(['user', 'device']), alias_raw FROM judged WHERE alias_raw IS NOT NULL
)
WHERE raw IS NOT NULL
