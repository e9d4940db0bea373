-- Google Analytics 4 events, as its BigQuery export has them, as events of the common shape.
-- grain:  one row per row given
-- inputs: given(batch, line, position, outcome, content, name, counted, person_id, browser, stream, platform, country, items,
--               params, person_params, d, c, f): ga4_jsonl.sql or ga4_rows.sql. outcome is NULL where the row can be read
-- params: $event_name, the name as the tracking plan knows it
-- source: https://support.google.com/analytics/answer/7029846 (fields)
-- The export has no event id. Rows are the same event where stream, browser, session, name, instant and parameters are
-- the same. A browser's id and a session's number mean something only within their stream and their browser.
WITH listed AS (
    SELECT
        *,
        -- an id without any digit is none ("undefined"): it is left as it is, for the gate to see
        CASE WHEN regexp_matches(browser, '[0-9]') THEN concat_ws(e'\x1f', stream, browser) ELSE browser END AS device
    FROM given
),
told AS (
    SELECT
        *,
        list_transform(
            list_filter(params, lambda p: p.key IS NOT NULL),
            lambda p: {
                'key': p.key,
                'value': coalesce(p.value.string_value, p.value.int_value, p.value.float_value, p.value.double_value)
            }
        ) AS own,
        list_transform(
            list_filter(person_params, lambda p: p.key IS NOT NULL),
            lambda p: {
                'key': p.key,
                'value': coalesce(p.value.string_value, p.value.int_value, p.value.float_value, p.value.double_value)
            }
        ) AS person
    FROM listed
),
-- Lists, not a MAP: that costs more than everything else here.
owned AS (
    SELECT
        *, list_transform(own, lambda e: e.key) AS names, list_transform(own, lambda e: e.value) AS texts
    FROM told
),
timed AS (
    SELECT
        *,
        texts[list_position(names, 'ga_session_id')] AS session,
        CASE name WHEN 'page_view' THEN 'Page Viewed' WHEN 'screen_view' THEN 'Screen Viewed' ELSE name END AS raw_name,
        TRY(make_timestamp(TRY_CAST(counted AS BIGINT))) AS happened_at
    FROM owned
),
more_told AS (
    SELECT
        *,
        list_filter(
            [
                {'key': 'url', 'value': texts[list_position(names, 'page_location')]},
                {'key': 'referrer', 'value': texts[list_position(names, 'page_referrer')]},
                {'key': 'title', 'value': coalesce(texts[list_position(names, 'page_title')], texts[list_position(names, 'firebase_screen')])},
                {'key': 'session_id', 'value': CASE WHEN session IS NOT NULL THEN concat_ws('.', device, session) END},
                {'key': 'utm_source', 'value': coalesce(texts[list_position(names, 'source')], c.manual_source)},
                {'key': 'utm_medium', 'value': coalesce(texts[list_position(names, 'medium')], c.manual_medium)},
                {'key': 'utm_campaign', 'value': coalesce(texts[list_position(names, 'campaign')], c.manual_campaign_name)},
                {'key': 'platform', 'value': platform},
                {'key': 'device.category', 'value': d.category},
                {'key': 'device.operating_system', 'value': d.operating_system},
                {'key': 'device.browser', 'value': coalesce(d.web_info.browser, d.browser)},
                {'key': 'geo.country', 'value': country},
                {'key': 'items', 'value': nullif(items, '[]')}
            ],
            lambda e: e.value <> '' AND NOT coalesce(list_contains(names, e.key), FALSE)
        ) AS more
    FROM timed
)
SELECT
    batch, line, position,
    coalesce(outcome, CASE WHEN own IS NULL AND params IS NOT NULL THEN 'unusable properties' END, 'event') AS outcome,
    $event_name AS event,
    person_id AS user_raw,
    device AS device_raw,
    concat_ws(
        e'\x1f', coalesce(device, ''), coalesce(session, ''), name, counted,
        array_to_string(list_sort(list_transform(own, lambda p: p.key || '=' || coalesce(p.value, ''))), e'\x1f')
    ) AS message_id,
    content,
    happened_at AS occurred_at,
    happened_at AS client_at,
    list_concat(names, list_transform(more, lambda e: e.key)) AS property_names,
    list_concat(texts, list_transform(more, lambda e: e.value)) AS property_texts,
    TRY(map_from_entries(list_concat(
        list_filter(
            [
                {'key': 'traffic_source.source', 'value': f.source},
                {'key': 'traffic_source.medium', 'value': f.medium},
                {'key': 'traffic_source.campaign', 'value': f.name}
            ],
            lambda e: e.value <> ''
        ),
        person
    ))) AS traits
FROM more_told
