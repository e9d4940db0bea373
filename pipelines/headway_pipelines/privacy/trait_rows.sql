-- What was said of whom, every distinct saying of a day or minute once: trackers repeat all they know on every event.
-- grain:  one row per batch, ids, set of traits, time slot and whether it can be used; _n = rows that say so
-- inputs: judged
-- Names of this table's own columns begin with _ so that no property can take them; outcome, event and properties are
-- what the rules of properties read. Where log-outs are declared a device may change hands within a day, so what it says
-- without naming its user is told minute by minute. Ends are kept by (time, arrival), which is the same however rows are grouped.
SELECT
    _batch, _user, _device, _account, _usable, _by_minute, _slot,
    'event' AS outcome, $owner AS event, properties, NULL::VARCHAR[] AS property_names, NULL::VARCHAR[] AS property_texts,
    count(*) AS _n,
    min({'at': epoch_us(_at), 'received': _received}) AS _first,
    max({'at': epoch_us(_at), 'received': -_received}) AS _last
FROM (
    SELECT
        batch AS _batch, user_raw AS _user, device_raw AS _device, account_raw AS _account,
        occurred_at AS _at, coalesce(epoch_us(received_at), 4611686018427387904) AS _received,
        coalesce(occurred_at >= $ancient, FALSE)
            AND coalesce(occurred_at <= coalesce(received_at, $now) + to_microseconds($tolerance_us), FALSE)
            AND CASE WHEN $of_accounts THEN account_raw IS NOT NULL ELSE coalesce(user_raw, device_raw) IS NOT NULL END
            AS _usable,
        $log_outs AND NOT $of_accounts AND user_raw IS NULL AS _by_minute,
        date_trunc(CASE WHEN _by_minute THEN 'minute' ELSE 'day' END, occurred_at) AS _slot, traits AS properties
    FROM judged
    WHERE outcome IN $kinds AND traits IS NOT NULL AND list_has_any(map_keys(traits), /* names */)
)
GROUP BY _batch, _user, _device, _account, _usable, _by_minute, _slot, properties
