-- Google Analytics 4 events, as its BigQuery export has them, as events of the common shape.
-- grain:  one row per row given
-- inputs: given(batch, line, position, outcome, content, fields): mapped_jsonl.sql or mapped_rows.sql, nested values as JSON text
-- source: https://support.google.com/analytics/answer/7029846 (fields)
-- The export has no event id. Rows are the same event where stream, browser, session, name, instant and parameters are
-- the same. A browser's id and a session's number mean something only within their stream and their browser.
WITH listed AS (
    SELECT
        batch, line, position, outcome, content, fields,
        coalesce(fields['user_pseudo_id'], fields['client_id']) AS browser,
        -- an id without any digit is none ("undefined"): it is left as it is, for the gate to see
        CASE WHEN regexp_matches(browser, '[0-9]') THEN concat_ws(e'\x1f', fields['stream_id'], browser) ELSE browser END AS device,
        TRY(from_json(fields['event_params'], '[{"key": "VARCHAR", "value": {
            "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}]')) AS params,
        TRY(from_json(fields['user_properties'], '[{"key": "VARCHAR", "value": {
            "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}]')) AS person_params,
        TRY(from_json(fields['device'], '{"category": "VARCHAR", "operating_system": "VARCHAR", "browser": "VARCHAR", "web_info": {"browser": "VARCHAR"}}')) AS d,
        TRY(from_json(fields['collected_traffic_source'], '{"manual_source": "VARCHAR", "manual_medium": "VARCHAR", "manual_campaign_name": "VARCHAR"}')) AS c,
        TRY(from_json(fields['traffic_source'], '{"source": "VARCHAR", "medium": "VARCHAR", "name": "VARCHAR"}')) AS f
    FROM given
),
named AS (
    SELECT
        *,
        -- a name that occurs twice makes no map
        TRY(map_from_entries(list_transform(
            list_filter(params, lambda p: p.key IS NOT NULL),
            lambda p: {
                'key': p.key,
                'value': coalesce(p.value.string_value, p.value.int_value, p.value.float_value, p.value.double_value)
            }
        ))) AS own,
        TRY(map_from_entries(list_transform(
            list_filter(person_params, lambda p: p.key IS NOT NULL),
            lambda p: {
                'key': p.key,
                'value': coalesce(p.value.string_value, p.value.int_value, p.value.float_value, p.value.double_value)
            }
        ))) AS person
    FROM listed
),
timed AS (
    SELECT
        *,
        own['ga_session_id'] AS session,
        TRY(make_timestamp(TRY_CAST(fields['event_timestamp'] AS BIGINT))) AS happened_at
    FROM named
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome <> 'event' THEN outcome
        WHEN own IS NULL AND fields['event_params'] <> '[]' THEN 'unusable properties'
        ELSE 'event'
    END AS outcome,
    CASE fields['event_name'] WHEN 'page_view' THEN 'Page Viewed' WHEN 'screen_view' THEN 'Screen Viewed' ELSE fields['event_name'] END AS event,
    fields['user_id'] AS user_raw,
    device AS device_raw,
    concat_ws(
        e'\x1f', coalesce(device, ''), coalesce(session, ''), fields['event_name'], fields['event_timestamp'],
        array_to_string(list_sort(list_transform(map_entries(own), lambda p: p.key || '=' || coalesce(p.value, ''))), e'\x1f')
    ) AS message_id,
    content,
    happened_at AS occurred_at,
    happened_at AS client_at,
    map_concat(
        map_from_entries(list_filter(
            [
                {'key': 'url', 'value': own['page_location']},
                {'key': 'referrer', 'value': own['page_referrer']},
                {'key': 'title', 'value': coalesce(own['page_title'], own['firebase_screen'])},
                {'key': 'session_id', 'value': CASE WHEN session IS NOT NULL THEN concat_ws('.', device, session) END},
                {'key': 'utm_source', 'value': coalesce(own['source'], c.manual_source)},
                {'key': 'utm_medium', 'value': coalesce(own['medium'], c.manual_medium)},
                {'key': 'utm_campaign', 'value': coalesce(own['campaign'], c.manual_campaign_name)},
                {'key': 'platform', 'value': fields['platform']},
                {'key': 'device.category', 'value': d.category},
                {'key': 'device.operating_system', 'value': d.operating_system},
                {'key': 'device.browser', 'value': coalesce(d.web_info.browser, d.browser)},
                {'key': 'geo.country', 'value': TRY(json_extract_string(fields['geo'], '$.country'))},
                {'key': 'items', 'value': nullif(fields['items'], '[]')}
            ],
            lambda e: e.value <> ''
        )),
        own
    ) AS properties,
    map_concat(
        map_from_entries(list_filter(
            [
                {'key': 'traffic_source.source', 'value': f.source},
                {'key': 'traffic_source.medium', 'value': f.medium},
                {'key': 'traffic_source.campaign', 'value': f.name}
            ],
            lambda e: e.value <> ''
        )),
        person
    ) AS traits
FROM timed
