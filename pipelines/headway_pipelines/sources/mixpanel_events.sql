-- Mixpanel's events and profile updates, whatever they came in, as events of the common shape.
-- grain:  one row per call
-- inputs: calls(batch, line, position, outcome, content, event, user_id, distinct_id, device_id, ingested_id, insert_id,
--             occurred_at, client_at, received_at, account_raw, p, names, texts, traits, user_agent, address)
--         outcome 'call' is an event, everything else is final; p are the properties that are read, see PROPERTIES in
--         mixpanel.py, names and texts are all of them, ingested_id is the distinct_id as it was when Mixpanel took the
--         event in
-- source: https://docs.mixpanel.com/docs/tracking-methods/id-management (ids), https://docs.mixpanel.com/reference (identity events)
-- distinct_id is a device where it says so ($device:) or equals $device_id, else a user.
-- The two ids of an alias come in either order: the one that looks like a made-up id stands for the device.
WITH named AS (
    SELECT
        * EXCLUDE (distinct_id, device_id),
        distinct_id,
        CASE WHEN starts_with(distinct_id, '$device:') THEN coalesce(device_id, distinct_id) ELSE device_id END AS raw_device,
        CASE WHEN starts_with(raw_device, '$device:') THEN substr(raw_device, 9) ELSE raw_device END AS device_id,
        coalesce(
            nullif(user_id, ''),
            CASE WHEN NOT starts_with(distinct_id, '$device:') AND distinct_id IS DISTINCT FROM device_id THEN distinct_id END
        ) AS person,
        CASE
            WHEN outcome <> 'call' THEN NULL
            WHEN event = '$create_alias' THEN [distinct_id, p.alias]
            WHEN event = '$merge' THEN TRY(from_json(p."$distinct_ids", '["VARCHAR"]'))
        END AS ids
    FROM calls
),
paired AS (
    SELECT
        *,
        CASE WHEN ids IS NOT NULL THEN list_transform(ids, lambda x: CASE
            WHEN starts_with(x, '$device:') THEN 2 WHEN regexp_full_match(x, '(?i)[0-9a-f]+(-[0-9a-f]+){4}') THEN 1 ELSE 0 END
        ) END AS made_up,
        -- which of the two stays: the first, unless it looks more made up than the second
        CASE WHEN made_up[1] > made_up[2] THEN ids[2] ELSE ids[1] END AS kept,
        CASE WHEN made_up[1] > made_up[2] THEN ids[1] ELSE ids[2] END AS other
    FROM named
),
chosen AS (
    SELECT
        *,
        CASE WHEN outcome = 'call' THEN list_transform(names, lambda x: x NOT IN (
            'token', 'distinct_id', 'time', 'ip', '$insert_id', '$user_id', '$device_id', 'mp_processing_time_ms',
            '$distinct_id_before_identity', '$identified_id', '$anon_id', '$anon_distinct_id')) END AS own,
        CASE WHEN outcome = 'call' AND coalesce(p."$current_url", p."$referrer", p.current_page_title) IS NOT NULL THEN list_filter(
            [
                {'key': 'url', 'value': p."$current_url"},
                {'key': 'referrer', 'value': p."$referrer"},
                {'key': 'title', 'value': p.current_page_title}
            ], lambda e: e.value IS NOT NULL AND NOT list_contains(names, e.key)) ELSE [] END AS more
    FROM paired
),
mapped AS (
    SELECT
        *,
        CASE WHEN outcome = 'call' THEN list_where(names, own) || list_transform(more, lambda e: e.key) END AS property_names,
        CASE WHEN ids IS NULL AND outcome = 'call'
            THEN list_where(texts, own) || list_transform(more, lambda e: e.value) END AS property_texts
    FROM chosen
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome <> 'call' THEN outcome
        WHEN event = '$identify' THEN 'identify'
        WHEN event IN ('$create_alias', '$merge') THEN
            CASE
                WHEN len(ids) <> 2 OR nullif(kept, '') IS NULL OR nullif(other, '') IS NULL OR kept = other THEN 'alias without two ids'
                WHEN starts_with(kept, '$device:') THEN 'alias of two devices'
                ELSE 'alias' END
        ELSE 'event'
    END AS outcome,
    CASE
        WHEN outcome <> 'call' THEN NULL
        WHEN event IN ('$mp_web_page_view', 'mp_page_view') THEN 'Page Viewed'
        WHEN event NOT IN ('$identify', '$create_alias', '$merge') THEN event
    END AS event,
    CASE
        WHEN ids IS NOT NULL THEN kept
        WHEN event = '$identify' THEN coalesce(p."$identified_id", person)
        ELSE person
    END AS user_raw,
    CASE
        WHEN ids IS NOT NULL THEN NULL
        WHEN event = '$identify' THEN regexp_replace(coalesce(p."$anon_id", p."$anon_distinct_id", device_id), '^\$device:', '')
        ELSE device_id
    END AS device_raw,
    account_raw,
    CASE WHEN ids IS NOT NULL THEN regexp_replace(other, '^\$device:', '') END AS alias_raw,
    -- by whole seconds, so that an export in seconds and one in milliseconds name the same event
    CASE WHEN outcome = 'call' AND insert_id <> '' THEN
        concat_ws(chr(31), event, coalesce(CAST(epoch_us(client_at) // 1000000 AS VARCHAR), ''), coalesce(ingested_id, ''), insert_id)
    END AS message_id,
    content, occurred_at, client_at, received_at,
    property_names,
    property_texts,
    traits, user_agent, address
FROM mapped
