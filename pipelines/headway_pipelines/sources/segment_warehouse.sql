-- Rows of the tables that Segment or RudderStack sync into a warehouse, as events of the common shape.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, parts, others): parts are the columns of segment_warehouse.py, others what
--         the rest of them holds
-- source: https://segment.com/docs/connections/storage/warehouses/schema/ (tables and columns),
--         https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/
-- params: $kind, the kind of call every row is, or NULL to tell it from the row's columns
-- `timestamp` is corrected for the client's clock already; received_at is when the row arrived.
WITH kinds AS (
    SELECT
        batch, line, position, record, parts, others,
        coalesce($kind, CASE
            WHEN coalesce(parts.event_text, parts.event) IS NOT NULL THEN 'track'
            WHEN parts.previous_id IS NOT NULL THEN 'alias'
            WHEN parts.group_id IS NOT NULL THEN 'group'
            WHEN coalesce(parts.url, parts.path) IS NOT NULL THEN 'page'
            WHEN coalesce(parts.user_id, parts.anonymous_id) IS NOT NULL THEN 'identify'
        END) AS kind,
        make_timestamp(epoch_us(TRY_CAST(parts.timestamp AS TIMESTAMPTZ))) AS corrected_at,
        make_timestamp(epoch_us(TRY_CAST(parts.original_timestamp AS TIMESTAMPTZ))) AS original_at,
        -- only needed where the warehouse has no corrected time
        CASE WHEN corrected_at IS NULL THEN make_timestamp(epoch_us(TRY_CAST(parts.sent_at AS TIMESTAMPTZ))) END AS sent_at,
        make_timestamp(epoch_us(TRY_CAST(parts.received_at AS TIMESTAMPTZ))) AS received_at
    FROM frames
),
listed AS (
    SELECT
        *,
        -- what the page and the session around a call say, unless a column says it itself
        CASE WHEN kind IN ('track', 'page', 'screen') THEN list_concat(
            list_filter(
                [{'key': 'url', 'value': coalesce(parts.url, parts.context_page_url)},
                    {'key': 'referrer', 'value': coalesce(parts.referrer, parts.context_page_referrer)},
                    {'key': 'title', 'value': coalesce(parts.title, parts.context_page_title)},
                    {'key': 'session_id', 'value': coalesce(parts.session_id, parts.context_session_id)},
                    {'key': 'path', 'value': parts.path}, {'key': 'previous_id', 'value': parts.previous_id},
                    {'key': 'group_id', 'value': parts.group_id}],
                lambda e: e.value IS NOT NULL
            ), others) END AS entries
    FROM kinds
)
SELECT
    batch, line, position,
    CASE
        WHEN kind IN ('track', 'page', 'screen') THEN 'event'
        WHEN kind IN ('identify', 'group', 'alias') THEN kind
        ELSE 'unknown call type'
    END AS outcome,
    CASE kind
        WHEN 'track' THEN coalesce(parts.event_text, parts.event)
        WHEN 'page' THEN 'Page Viewed' WHEN 'screen' THEN 'Screen Viewed' END AS event,
    parts.user_id AS user_raw,
    parts.anonymous_id AS device_raw,
    coalesce(parts.context_group_id, CASE kind WHEN 'group' THEN parts.group_id END) AS account_raw,
    CASE kind WHEN 'alias' THEN parts.previous_id END AS alias_raw,
    parts.id AS message_id,
    record AS content,
    -- times may lie further apart than can be said
    coalesce(corrected_at, TRY(received_at - (sent_at - original_at)), original_at) AS occurred_at,
    coalesce(original_at, corrected_at) AS client_at,
    received_at,
    list_transform(entries, lambda e: e.key) AS property_names,
    list_transform(entries, lambda e: e.value) AS property_texts,
    CASE WHEN kind IN ('identify', 'group') THEN map_from_entries(list_concat(
        list_filter(
            [('url', parts.url), ('referrer', parts.referrer), ('title', parts.title), ('session_id', parts.session_id),
                ('path', parts.path), ('previous_id', parts.previous_id)],
            lambda e: e[2] IS NOT NULL
        ), list_filter(others, lambda e: NOT starts_with(e.key, 'context_')))) END AS traits,
    parts.context_user_agent AS user_agent,
    parts.context_ip AS address
FROM listed
