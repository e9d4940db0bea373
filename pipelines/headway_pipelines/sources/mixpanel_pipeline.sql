-- Rows of Mixpanel's JSON pipelines (events, user profiles, identity mappings), as mixpanel_events.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- slots:  each /* slot */ is an expression; time reads p_time, account reads p
-- source: https://docs.mixpanel.com/docs/data-pipelines/json-pipelines
-- properties is an object, or a text that holds one. Profiles and mappings carry no time: they hold from the beginning.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r\n'), 1) = '{' AND json_valid(text) THEN from_json(text, '{
            "event_name": "VARCHAR", "user_id": "VARCHAR", "distinct_id": "VARCHAR", "device_id": "VARCHAR",
            "resolved_distinct_id": "VARCHAR", "insert_id": "VARCHAR", "time": "VARCHAR", "properties": "MAP(VARCHAR, VARCHAR)"}') END AS j,
        -- a MAP cannot be read from a list, a text or an object that repeats a name: look again, only here
        CASE WHEN j['properties'] IS NULL AND j IS NOT NULL THEN nullif(json_type(text, '$.properties'), 'NULL') END AS other,
        CASE WHEN other = 'VARCHAR' THEN TRY(from_json(json_extract_string(text, '$.properties'), '"MAP(VARCHAR, VARCHAR)"'))
            ELSE j['properties'] END AS p,
        CASE WHEN j['event_name'] IS NULL AND j['distinct_id'] IS NOT NULL THEN
            CASE WHEN j['resolved_distinct_id'] IS NOT NULL THEN 'mapping' WHEN p IS NOT NULL THEN 'profile' END
        END AS kind,
        j['time'] AS p_time
    FROM frames
),
timed AS (
    SELECT *, CASE WHEN kind IS NOT NULL THEN TIMESTAMP '1970-01-01 00:00:00' ELSE /* time */ END AS occurred_at FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN p IS NULL AND other IS NOT NULL THEN 'unusable properties'
        WHEN kind = 'profile' OR j.distinct_id = j.resolved_distinct_id THEN 'identify'
        WHEN kind IS NULL AND j.event_name IS NULL THEN 'not a Mixpanel row'
        ELSE 'call'
    END AS outcome,
    text AS content,
    CASE WHEN kind = 'mapping' THEN '$create_alias' ELSE j.event_name END AS event,
    j.user_id AS user_id,
    coalesce(j.resolved_distinct_id, j.distinct_id) AS distinct_id,
    j.device_id AS device_id,
    coalesce(p['$distinct_id_before_identity'], j.distinct_id) AS ingested_id,
    j.insert_id AS insert_id,
    occurred_at,
    occurred_at AS client_at,
    TRY(make_timestamp(TRY_CAST(p['mp_processing_time_ms'] AS BIGINT) * 1000)) AS received_at,
    /* account */ AS account_raw,
    CASE WHEN kind = 'mapping' THEN MAP {'alias': j.distinct_id} ELSE coalesce(p, MAP {}) END AS p,
    CASE WHEN kind = 'profile' THEN p END AS traits,
    NULL::VARCHAR AS user_agent,
    p['ip'] AS address
FROM timed
