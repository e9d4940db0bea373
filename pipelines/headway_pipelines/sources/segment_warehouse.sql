-- Rows of the tables that Segment or RudderStack sync into a warehouse, as events of the common shape.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, fields)
-- source: https://segment.com/docs/connections/storage/warehouses/schema/ (tables and columns),
--         https://www.rudderstack.com/docs/destinations/warehouse-destinations/warehouse-schema/
-- params: $kind, the kind of call every row is, or NULL to tell it from the row's columns; $parts, columns that are no
--         property
-- `timestamp` is corrected for the client's clock already; received_at is when the row arrived.
-- The first part gives the columns a type where no file had any row.
WITH rows AS (
    SELECT NULL::VARCHAR AS record, NULL::MAP(VARCHAR, VARCHAR) AS fields WHERE FALSE
    UNION ALL BY NAME
    FROM frames
),
kinds AS (
    SELECT
        *,
        coalesce($kind, CASE
            WHEN coalesce(fields['event_text'], fields['event']) IS NOT NULL THEN 'track'
            WHEN fields['previous_id'] IS NOT NULL THEN 'alias'
            WHEN fields['group_id'] IS NOT NULL THEN 'group'
            WHEN coalesce(fields['url'], fields['path']) IS NOT NULL THEN 'page'
            WHEN coalesce(fields['user_id'], fields['anonymous_id']) IS NOT NULL THEN 'identify'
        END) AS kind,
        CAST(TRY_CAST(fields['timestamp'] AS TIMESTAMPTZ) AS TIMESTAMP) AS corrected_at,
        CAST(TRY_CAST(fields['original_timestamp'] AS TIMESTAMPTZ) AS TIMESTAMP) AS original_at,
        CAST(TRY_CAST(fields['sent_at'] AS TIMESTAMPTZ) AS TIMESTAMP) AS sent_at,
        CAST(TRY_CAST(fields['received_at'] AS TIMESTAMPTZ) AS TIMESTAMP) AS received_at,
        list_filter(map_entries(fields), lambda e: e.key NOT IN $parts) AS own,
        list_filter(
            [('url', fields['context_page_url']), ('referrer', fields['context_page_referrer']),
                ('title', fields['context_page_title']), ('session_id', fields['context_session_id'])],
            lambda e: e[2] IS NOT NULL AND fields[e[1]] IS NULL
        ) AS around
    FROM rows
)
SELECT
    batch, line, position,
    CASE
        WHEN kind IN ('track', 'page', 'screen') THEN 'event'
        WHEN kind IN ('identify', 'group', 'alias') THEN kind
        ELSE 'unknown call type'
    END AS outcome,
    CASE kind
        WHEN 'track' THEN coalesce(fields['event_text'], fields['event'])
        WHEN 'page' THEN 'Page Viewed' WHEN 'screen' THEN 'Screen Viewed' END AS event,
    fields['user_id'] AS user_raw,
    fields['anonymous_id'] AS device_raw,
    coalesce(fields['context_group_id'], CASE kind WHEN 'group' THEN fields['group_id'] END) AS account_raw,
    CASE kind WHEN 'alias' THEN fields['previous_id'] END AS alias_raw,
    fields['id'] AS message_id,
    record AS content,
    coalesce(corrected_at, received_at - (sent_at - original_at), original_at) AS occurred_at,
    coalesce(original_at, corrected_at) AS client_at,
    received_at,
    CASE WHEN outcome = 'event' THEN map_from_entries(list_concat(around, own)) END AS properties,
    CASE WHEN kind IN ('identify', 'group')
        THEN map_from_entries(list_filter(own, lambda e: e.key <> 'group_id' AND NOT starts_with(e.key, 'context_'))) END AS traits,
    fields['context_user_agent'] AS user_agent,
    fields['context_ip'] AS address
FROM kinds
