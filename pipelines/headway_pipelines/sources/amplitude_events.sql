-- Amplitude's events, whatever they came in, as events of the common shape.
-- grain:  one row per event
-- inputs: calls(batch, line, position, outcome, content, e, insert_id, agent, occurred_at, client_at, received_at)
--         outcome 'call' is an event, 'merge' says that one Amplitude id became another, everything else is final;
--         e is one event, see EVENT in amplitude.py; agent is the browser that sent it, where e does not say
-- source: https://amplitude.com/docs/apis/analytics/http-v2, https://amplitude.com/docs/apis/analytics/identify (field meanings),
--         https://amplitude.com/docs/data/web-autocapture-schema (page and screen views)
-- What is set once never overrides what is set; other operations ($add, $append, $unset ...) need the value before and are left out.
-- Amplitude's own id of a person is a further id of who acts: a merge of two of them joins those who carried them.
WITH read AS (
    SELECT
        * EXCLUDE (e), e,
        CASE WHEN left(e.event_properties, 1) = '{' THEN json_keys(e.event_properties) END AS names,
        CASE WHEN names IS NOT NULL THEN json_extract_string(e.event_properties, '$.*') END AS texts,
        e.user_properties AS u, e.group_properties AS g,
        CASE WHEN outcome = 'call' AND e.event_type IN ('$identify', '$groupidentify') THEN e.event_type END AS says,
        'amplitude_id:' || CASE WHEN e.amplitude_id NOT IN ('', '0', '-1') THEN e.amplitude_id END AS amplitude_id,
        'amplitude_id:' || CASE WHEN e.merged_amplitude_id NOT IN ('', '0', '-1') THEN e.merged_amplitude_id END AS merged_into,
        nullif(e.device_id, '') AS device_id,
        nullif(e.user_id, '') AS user_id,
        map_keys(e.groups)[1] AS group_type,
        -- a group type may hold a list of groups; the first counts
        map_values(e.groups)[1] AS group_names,
        CASE WHEN starts_with(group_names, '[') THEN TRY(json_extract_string(group_names, '$[0]')) ELSE group_names END AS group_name
    FROM calls
),
said AS (
    SELECT
        *,
        CASE
            WHEN says = '$identify' THEN u
            -- of a group: either operations, or everything by type and name
            WHEN says = '$groupidentify' THEN CASE
                WHEN len(list_filter(map_keys(g), lambda x: starts_with(x, '$'))) > 0 THEN g
                ELSE coalesce(
                    TRY(from_json(json_extract(g[group_type], '$."' || replace(group_name, '"', '') || '"'), '"MAP(VARCHAR, VARCHAR)"')), g)
                END
        END AS told,
        CASE WHEN outcome = 'call' AND says IS NULL THEN list_filter(
            [
                {'key': 'session_id', 'value': nullif(e.session_id, '-1')},
                {'key': 'url', 'value': coalesce(
                    texts[list_position(names, '[Amplitude] Page Location')],
                    texts[list_position(names, 'Page Location')],
                    texts[list_position(names, '[Amplitude] Page URL')])},
                {'key': 'referrer', 'value': texts[list_position(names, '[Amplitude] Page Referrer')]},
                {'key': 'title', 'value': coalesce(
                    texts[list_position(names, '[Amplitude] Page Title')], texts[list_position(names, 'Page Title')])}
            ], lambda x: x.value IS NOT NULL AND list_contains(names, x.key) IS NOT TRUE) END AS more
    FROM read
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome = 'merge' THEN CASE WHEN amplitude_id <> merged_into THEN 'alias' ELSE 'alias without two ids' END
        WHEN outcome <> 'call' THEN outcome
        -- a MAP cannot be read from a list, a bare value or an object that repeats a name: look again, only here
        WHEN left(e.event_properties, 1) NOT IN ('{', 'n')
            OR u IS NULL AND json_type(content, '$.user_properties') NOT IN ('NULL')
            OR g IS NULL AND json_type(content, '$.group_properties') NOT IN ('NULL') THEN 'unusable properties'
        WHEN says = '$identify' THEN 'identify'
        WHEN says = '$groupidentify' THEN 'group'
        ELSE 'event'
    END AS outcome,
    CASE
        WHEN outcome <> 'call' OR says IS NOT NULL THEN NULL
        WHEN lower(e.event_type) IN ('[amplitude] page viewed', 'page viewed') THEN 'Page Viewed'
        WHEN lower(e.event_type) IN ('[amplitude] screen viewed', 'screen viewed') THEN 'Screen Viewed'
        ELSE e.event_type
    END AS event,
    CASE WHEN outcome = 'merge' THEN merged_into WHEN device_id IS NULL THEN coalesce(user_id, amplitude_id) ELSE user_id END AS user_raw,
    device_id AS device_raw,
    group_name AS account_raw,
    CASE WHEN coalesce(user_id, device_id) IS NOT NULL OR outcome = 'merge' THEN amplitude_id END AS alias_raw,
    coalesce(coalesce(device_id, user_id, '') || chr(31) || nullif(insert_id, ''), nullif(e.uuid, '')) AS message_id,
    content, occurred_at, client_at, received_at,
    CASE WHEN more IS NOT NULL THEN list_concat(names, list_transform(more, lambda x: x.key)) END AS property_names,
    CASE WHEN more IS NOT NULL THEN list_concat(texts, list_transform(more, lambda x: x.value)) END AS property_texts,
    CASE
        WHEN outcome <> 'call' THEN NULL
        WHEN says IS NULL THEN u
        ELSE map_concat(
            TRY(from_json(told['$setOnce'], '"MAP(VARCHAR, VARCHAR)"')),
            TRY(from_json(told['$set'], '"MAP(VARCHAR, VARCHAR)"')),
            map_from_entries(list_filter(map_entries(told), lambda x: NOT starts_with(x.key, '$'))))
    END AS traits,
    coalesce(e.user_agent, agent) AS user_agent,
    coalesce(e.ip, e.ip_address) AS address
FROM said
