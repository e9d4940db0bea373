-- Rows of Mixpanel's JSON pipelines (events, user profiles, identity mappings), as mixpanel_events.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $beginning
-- slots:  each /* slot */ is an expression; time reads j.time, account reads names and texts
-- source: https://docs.mixpanel.com/docs/data-pipelines/json-pipelines
-- properties is an object, or a text that holds one. Profiles and mappings carry no time. What profiles say holds from $beginning on,
-- the first instant that any line may have; mappings hold ever, which is a time that cannot be.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r\n'), 1) = '{' AND json_valid(text) THEN from_json(text, $event) END AS j,
        CASE WHEN j IS NOT NULL THEN json_keys(text, '$.properties') END AS keys,
        -- only an object has names: look again, only here
        CASE WHEN j['properties'] IS NOT NULL AND len(keys) = 0 THEN json_type(text, '$.properties') END AS other,
        CASE WHEN other = 'VARCHAR' THEN json_extract_string(text, '$.properties') END AS written,
        other <> 'OBJECT' AND coalesce(json_type(CASE WHEN json_valid(written) THEN written END), '') <> 'OBJECT' AS unusable,
        CASE WHEN written IS NOT NULL AND NOT unusable THEN '{"properties":' || written || '}' ELSE text END AS body,
        CASE WHEN written IS NOT NULL AND NOT unusable
            THEN struct_extract(from_json(body, $event), 'properties') ELSE j['properties'] END AS p,
        CASE WHEN j IS NULL THEN NULL WHEN written IS NULL THEN keys ELSE json_keys(body, '$.properties') END AS names,
        CASE WHEN len(names) > 0 THEN json_extract_string(body, '$.properties.*') ELSE [] END AS texts,
        CASE WHEN j['event_name'] IS NULL AND j['distinct_id'] IS NOT NULL THEN
            CASE WHEN j['resolved_distinct_id'] IS NOT NULL THEN 'mapping' WHEN p IS NOT NULL THEN 'profile' END
        END AS kind
    FROM frames
),
timed AS (
    SELECT
        *,
        CASE kind WHEN 'profile' THEN $beginning WHEN 'mapping' THEN TIMESTAMP '1970-01-01 00:00:00' ELSE /* time */ END AS occurred_at,
        CASE WHEN kind = 'profile' THEN TRY(map(names, texts)) END AS traits
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN unusable OR kind = 'profile' AND traits IS NULL THEN 'unusable properties'
        WHEN kind = 'profile' OR j.distinct_id = j.resolved_distinct_id THEN 'identify'
        WHEN kind IS NULL AND j.event_name IS NULL THEN 'not a Mixpanel row'
        ELSE 'call'
    END AS outcome,
    text AS content,
    CASE WHEN kind = 'mapping' THEN '$create_alias' ELSE j.event_name END AS event,
    j.user_id AS user_id,
    coalesce(j.resolved_distinct_id, j.distinct_id) AS distinct_id,
    j.device_id AS device_id,
    coalesce(p."$distinct_id_before_identity", j.distinct_id) AS ingested_id,
    j.insert_id AS insert_id,
    occurred_at,
    occurred_at AS client_at,
    TRY(make_timestamp(TRY_CAST(p.mp_processing_time_ms AS BIGINT) * 1000)) AS received_at,
    /* account */ AS account_raw,
    CASE WHEN kind = 'mapping' THEN struct_update(p, alias := j.distinct_id) ELSE p END AS p,
    coalesce(names, []) AS names,
    texts,
    traits,
    NULL::VARCHAR AS user_agent,
    p.ip AS address
FROM timed
