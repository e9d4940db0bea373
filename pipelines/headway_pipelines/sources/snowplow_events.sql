-- Snowplow events as events of the common shape, whichever way they were written down.
-- grain:  one row per row given
-- inputs: given(batch, line, position, outcome, content, event, event_name, user_id, domain_userid, network_userid,
--         domain_sessionid, event_id, true_tstamp, derived_tstamp, dvce_created_tstamp, dvce_sent_tstamp,
--         collector_tstamp, user_agent, address, se_category, se_action, atomic, body, entities); atomic lists (name, value)
--         of columns that become properties, body is the data of a self-describing event, a JSON object, entities are its
--         contexts as (name, data)
-- source: https://docs.snowplow.io/docs/fundamentals/canonical-event/ (columns),
--         https://docs.snowplow.io/docs/events/timestamps/ (which time is the best)
-- params: $event_name, the name as the tracking plan knows it
-- The null UUID stands for nobody: anonymous sessions carry it.
WITH named AS (
    SELECT
        *,
        CASE event
            WHEN 'page_view' THEN 'Page Viewed'
            WHEN 'page_ping' THEN 'Page Pinged'
            WHEN 'struct' THEN coalesce(nullif(se_action, ''), nullif(se_category, ''))
            WHEN 'unstruct' THEN CASE event_name WHEN 'screen_view' THEN 'Screen Viewed' ELSE nullif(event_name, '') END
            WHEN 'transaction' THEN 'transaction'
            WHEN 'transaction_item' THEN 'transaction_item'
        END AS raw_name,
        list_filter(entities, lambda e: e.name = 'client_session')[1].data AS client_session,
        coalesce(
            list_filter(entities, lambda e: e.name = 'web_page')[1].data, list_filter(entities, lambda e: e.name = 'screen')[1].data
        ) AS view,
        list_transform(entities, lambda e: e.name) AS names
    FROM given
),
told AS (
    SELECT
        *,
        -- mobile trackers have no cookie: their session context names the installation; warehouses may write the names
        -- inside a context with underscores
        coalesce(json_extract_string(client_session, '$.userId'), json_extract_string(client_session, '$.user_id')) AS installation,
        coalesce(
            nullif(domain_sessionid, ''),
            json_extract_string(client_session, '$.sessionId'), json_extract_string(client_session, '$.session_id')
        ) AS session,
        json_extract_string(view, '$.id') AS page_view,
        -- several contexts of one name are called name, name:2, name:3
        CASE WHEN len(entities) > 0 THEN '{' || array_to_string(list_transform(
            entities,
            lambda e, i: to_json(e.name || CASE len(list_filter(names[:i], lambda n: n = e.name))
                WHEN 1 THEN '' ELSE ':' || len(list_filter(names[:i], lambda n: n = e.name)) END) || ':' || e.data
        ), ',') || '}' END AS contexts
    FROM named
),
listed AS (
    SELECT
        *,
        CASE WHEN body IS NOT NULL THEN json_keys(body) END AS body_names,
        -- what the event's own data says comes first
        list_filter(
            list_concat(atomic, [('session_id', session), ('page_view_id', page_view), ('contexts', contexts)]),
            lambda e: e[2] <> '' AND list_contains(body_names, e[1]) IS NOT TRUE
        ) AS around
    FROM told
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome <> 'event' THEN outcome
        WHEN event IS NULL OR event NOT IN ('page_view', 'page_ping', 'struct', 'unstruct', 'transaction', 'transaction_item')
            THEN 'unknown event type'
        ELSE 'event'
    END AS outcome,
    $event_name AS event,
    user_id AS user_raw,
    coalesce(
        nullif(nullif(domain_userid, ''), '00000000-0000-0000-0000-000000000000'),
        nullif(nullif(installation, ''), '00000000-0000-0000-0000-000000000000'),
        nullif(nullif(network_userid, ''), '00000000-0000-0000-0000-000000000000')
    ) AS device_raw,
    event_id AS message_id,
    content,
    coalesce(
        true_tstamp,
        derived_tstamp,
        -- the device's clock is taken to be as wrong when it sent as when it created
        CASE WHEN dvce_created_tstamp <= dvce_sent_tstamp
            THEN collector_tstamp - (dvce_sent_tstamp - dvce_created_tstamp) END,
        collector_tstamp,
        dvce_created_tstamp
    ) AS occurred_at,
    dvce_created_tstamp AS client_at,
    collector_tstamp AS received_at,
    list_concat(list_transform(around, lambda e: e[1]), body_names) AS property_names,
    list_concat(
        list_transform(around, lambda e: e[2]), CASE WHEN body IS NOT NULL THEN json_extract_string(body, '$.*') END
    ) AS property_texts,
    user_agent,
    address
FROM listed
