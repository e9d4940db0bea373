-- Rows that say something declared of a person or of an account.
-- grain:  one row per row with such traits
-- inputs: judged
-- Names of this table's own columns begin with _ so that no property can take them; outcome, event and properties are
-- what the rules of properties read.
SELECT
    batch AS _batch, user_raw AS _user, device_raw AS _device, account_raw AS _account,
    occurred_at AS _at, received_at AS _received,
    coalesce(occurred_at >= $ancient, FALSE)
        AND coalesce(occurred_at <= coalesce(received_at, $now) + to_microseconds($tolerance_us), FALSE)
        AND CASE WHEN $of_accounts THEN account_raw IS NOT NULL ELSE coalesce(user_raw, device_raw) IS NOT NULL END
        AS _usable,
    'event' AS outcome, $owner AS event, traits AS properties
FROM judged
WHERE outcome IN $kinds AND traits IS NOT NULL AND list_has_any(map_keys(traits), /* names */)
