-- Rows of GA4's BigQuery export in JSON lines, as ga4.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- source: https://support.google.com/analytics/answer/7029846
-- params: $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- BigQuery writes whole numbers as texts. json_valid first: it costs a tenth of what TRY around the whole structure does.
-- The test is around the text: around the structure, all of it would be copied.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, '{
            "event_name": "VARCHAR", "event_timestamp": "VARCHAR", "user_id": "VARCHAR", "user_pseudo_id": "VARCHAR",
            "client_id": "VARCHAR", "stream_id": "VARCHAR", "platform": "VARCHAR", "items": "VARCHAR",
            "event_params": [{"key": "VARCHAR", "value": {
                "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}],
            "user_properties": [{"key": "VARCHAR", "value": {
                "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}],
            "device": {"category": "VARCHAR", "operating_system": "VARCHAR", "browser": "VARCHAR", "web_info": {"browser": "VARCHAR"}},
            "geo": {"country": "VARCHAR"},
            "collected_traffic_source": {"manual_source": "VARCHAR", "manual_medium": "VARCHAR", "manual_campaign_name": "VARCHAR"},
            "traffic_source": {"source": "VARCHAR", "medium": "VARCHAR", "name": "VARCHAR"}}') AS j
    FROM frames
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN j.event_params IS NULL AND json_type(text, '$.event_params') NOT IN ('NULL') THEN 'unusable properties'
    END AS outcome,
    text AS content,
    j.event_name AS name,
    j.event_timestamp AS counted,
    j.user_id AS person_id,
    -- a common name of it in tables made from the export
    coalesce(j.user_pseudo_id, j.client_id) AS browser,
    j.stream_id AS stream,
    j.platform AS platform,
    j.geo.country AS country,
    j.items AS items,
    j.event_params AS params,
    j.user_properties AS person_params,
    j.device AS d,
    j.collected_traffic_source AS c,
    j.traffic_source AS f
FROM parsed
