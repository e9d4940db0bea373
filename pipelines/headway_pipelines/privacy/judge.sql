-- What becomes of each line, and identifiers that are none set to NULL.
-- grain:  one row per event shape row
-- inputs: shape (sources.shape.SHAPE)
-- content is hashed only where the tracker gave no id of its own
WITH usable AS (
    SELECT
        batch, line, position, outcome, event,
        CASE WHEN lower(trim(user_raw)) NOT IN $no_id THEN user_raw END AS user_raw,
        CASE WHEN lower(trim(device_raw)) NOT IN $no_id THEN device_raw END AS device_raw,
        CASE WHEN lower(trim(account_raw)) NOT IN $no_id THEN account_raw END AS account_raw,
        CASE WHEN lower(trim(alias_raw)) NOT IN $no_id THEN alias_raw END AS alias_raw,
        nullif(message_id, '') AS message_id,
        CASE WHEN nullif(message_id, '') IS NULL AND outcome = 'event' THEN md5(content)::UUID END AS content,
        occurred_at, client_at, received_at, properties, traits, user_agent, address
    FROM shape
)
SELECT * REPLACE (
    CASE
        WHEN outcome <> 'event' THEN outcome
        WHEN event IS NULL THEN 'event without a name'
        WHEN event NOT IN $declared THEN 'undeclared event'
        WHEN user_raw IS NULL AND device_raw IS NULL THEN 'no usable id'
        WHEN occurred_at IS NULL THEN 'no valid time'
        WHEN occurred_at < $ancient THEN 'time too long ago'
        WHEN occurred_at > coalesce(received_at, $now) + to_microseconds($tolerance_us) THEN 'time in the future'
        ELSE 'event'
    END AS outcome
)
FROM usable
