-- Lines of Mixpanel's raw event export, as mixpanel_events.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- slots:  each /* slot */ is an expression; time reads p, account reads names and texts
-- source: https://docs.mixpanel.com/docs/export-methods, https://developer.mixpanel.com/reference/raw-event-export
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, $event) AS j,
        j['properties'] AS p,
        CASE WHEN j IS NOT NULL THEN json_keys(text, '$.properties') END AS names,
        CASE WHEN len(names) > 0 THEN json_extract_string(text, '$.properties.*') ELSE [] END AS texts
    FROM frames
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN len(names) > 0 THEN 'call'
        -- only an object has names: look again, only here
        WHEN p IS NULL THEN 'not a Mixpanel event'
        WHEN json_type(text, '$.properties') = 'OBJECT' THEN 'call'
        ELSE 'unusable properties'
    END AS outcome,
    text AS content,
    j.event AS event,
    p."$user_id" AS user_id,
    p.distinct_id AS distinct_id,
    p."$device_id" AS device_id,
    coalesce(p."$distinct_id_before_identity", p.distinct_id) AS ingested_id,
    p."$insert_id" AS insert_id,
    /* time */ AS occurred_at,
    occurred_at AS client_at,
    TRY(make_timestamp(TRY_CAST(p.mp_processing_time_ms AS BIGINT) * 1000)) AS received_at,
    /* account */ AS account_raw,
    p,
    names,
    texts,
    NULL::MAP(VARCHAR, VARCHAR) AS traits,
    NULL::VARCHAR AS user_agent,
    p.ip AS address
FROM parsed
