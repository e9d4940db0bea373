-- Lines of Mixpanel's raw event export, as mixpanel_events.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- slots:  each /* slot */ is an expression; time reads p['time'], account reads p
-- source: https://docs.mixpanel.com/docs/export-methods, https://developer.mixpanel.com/reference/raw-event-export
WITH parsed AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r\n'), 1) = '{' AND json_valid(text) THEN
            from_json(text, '{"event": "VARCHAR", "properties": "MAP(VARCHAR, VARCHAR)"}') END AS j,
        j['properties'] AS p
    FROM frames
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN p IS NOT NULL THEN 'call'
        -- a MAP cannot be read from a list, a bare value or an object that repeats a name: look again, only here
        WHEN json_type(text, '$.properties') NOT IN ('NULL') THEN 'unusable properties'
        ELSE 'not a Mixpanel event'
    END AS outcome,
    text AS content,
    j.event AS event,
    p['$user_id'] AS user_id,
    p['distinct_id'] AS distinct_id,
    p['$device_id'] AS device_id,
    coalesce(p['$distinct_id_before_identity'], p['distinct_id']) AS ingested_id,
    p['$insert_id'] AS insert_id,
    /* time */ AS occurred_at,
    occurred_at AS client_at,
    TRY(make_timestamp(TRY_CAST(p['mp_processing_time_ms'] AS BIGINT) * 1000)) AS received_at,
    /* account */ AS account_raw,
    p,
    NULL::MAP(VARCHAR, VARCHAR) AS traits,
    NULL::VARCHAR AS user_agent,
    p['ip'] AS address
FROM parsed
