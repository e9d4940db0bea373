-- What becomes of each line. Identifiers that are empty are NULL; other texts that are none: no_ids.sql.
-- grain:  one row per event shape row
-- inputs: shape (sources.shape.SHAPE)
-- content is hashed only where the tracker gave no id of its own
-- A time read in the wrong unit is a factor of 1,000 off, and no history comes near to where that leads: seconds read
-- as milliseconds, or milliseconds as microseconds, lie in January or February 1970 for every time from 1990 to 2100;
-- milliseconds read as seconds lie beyond the year 20000. The first minutes of 1970 are clocks without a battery.
WITH usable AS (
    SELECT
        batch, line, position, outcome, event,
        nullif(user_raw, '') AS user_raw, nullif(device_raw, '') AS device_raw,
        nullif(account_raw, '') AS account_raw, nullif(alias_raw, '') AS alias_raw,
        -- given, but no identifier
        coalesce(user_raw = '', FALSE) AS no_user, coalesce(device_raw = '', FALSE) AS no_device,
        coalesce(alias_raw = '', FALSE) AS no_other, coalesce(account_raw = '', FALSE) AS no_account,
        nullif(message_id, '') AS message_id,
        CASE WHEN nullif(message_id, '') IS NULL AND outcome = 'event' THEN md5(content)::UUID END AS content,
        occurred_at, client_at, received_at, properties, property_names, property_texts, traits, user_agent, address, consent
    FROM shape
),
measured AS (
    SELECT *, CASE
        WHEN least(occurred_at, received_at) BETWEEN TIMESTAMP '1970-01-01 00:10:00' AND TIMESTAMP '1970-02-28 23:59:59.999999'
            THEN 'time in another unit (seconds read as milliseconds?)'
        WHEN greatest(occurred_at, received_at) BETWEEN TIMESTAMP '20000-01-01 00:00:00' AND TIMESTAMP '294246-12-31 00:00:00'
            THEN 'time in another unit (milliseconds read as seconds?)'
        END AS other_unit
    FROM usable
)
SELECT * EXCLUDE (other_unit) REPLACE (
    CASE
        WHEN outcome = 'alias' AND (user_raw IS NULL OR coalesce(alias_raw, device_raw) IS NULL) THEN 'alias without two ids'
        WHEN outcome IN ('identify', 'group', 'alias') THEN coalesce(other_unit, outcome)
        WHEN outcome <> 'event' THEN outcome
        WHEN event IS NULL THEN 'event without a name'
        WHEN event NOT IN $declared THEN 'undeclared event'
        WHEN user_raw IS NULL AND device_raw IS NULL THEN 'no usable id'
        WHEN occurred_at IS NULL THEN 'no valid time'
        WHEN other_unit IS NOT NULL THEN other_unit
        WHEN occurred_at < $ancient THEN 'time too long ago'
        WHEN occurred_at > coalesce(received_at, $now) + to_microseconds($tolerance_us) THEN 'time in the future'
        ELSE 'event'
    END AS outcome
)
FROM measured
