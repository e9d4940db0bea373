-- Rows of GA4's BigQuery export in Parquet, as ga4.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, parts): nested columns are JSON text
-- source: https://support.google.com/analytics/answer/7029846
WITH parsed AS (
    SELECT
        *,
        TRY(from_json(parts.event_params, '[{"key": "VARCHAR", "value": {
            "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}]')) AS params,
        TRY(from_json(parts.user_properties, '[{"key": "VARCHAR", "value": {
            "string_value": "VARCHAR", "int_value": "VARCHAR", "float_value": "VARCHAR", "double_value": "VARCHAR"}}]')) AS person_params,
        TRY(from_json(parts.device, '{"category": "VARCHAR", "operating_system": "VARCHAR", "browser": "VARCHAR", "web_info": {"browser": "VARCHAR"}}')) AS d,
        TRY(from_json(parts.collected_traffic_source, '{"manual_source": "VARCHAR", "manual_medium": "VARCHAR", "manual_campaign_name": "VARCHAR"}')) AS c,
        TRY(from_json(parts.traffic_source, '{"source": "VARCHAR", "medium": "VARCHAR", "name": "VARCHAR"}')) AS f
    FROM frames
)
SELECT
    batch, line, position,
    CASE WHEN params IS NULL AND parts.event_params <> '' THEN 'unusable properties' END AS outcome,
    record AS content,
    parts.event_name AS name,
    parts.event_timestamp AS counted,
    parts.user_id AS person_id,
    coalesce(parts.user_pseudo_id, parts.client_id) AS browser,
    parts.stream_id AS stream,
    parts.platform AS platform,
    TRY(json_extract_string(parts.geo, '$.country')) AS country,
    parts.items AS items,
    params, person_params, d, c, f
FROM parsed
