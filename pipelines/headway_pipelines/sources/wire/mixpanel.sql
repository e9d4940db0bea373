-- Recorded HTTP requests of Mixpanel clients, as mixpanel_events.sql reads them.
-- grain:  one row per call of an accepted request; one row per request that was refused or cannot be read
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in mixpanel.py
-- slots:  each /* slot */ is an expression; time reads p, account reads names and texts, profile_time reads j
-- source: https://docs.mixpanel.com/reference (track, import, engage, groups)
-- The calls lie in `data` of the body or of the query, as JSON or as base64 of JSON; /import has them as the body itself.
-- Browsers send their clock along as the query parameter _: with it and our own the error of their clock is known.
WITH addressed AS (
    SELECT
        *,
        regexp_extract(lower(request['path']), '/(track|import|engage|groups)/?([?#].*)?$', 1) AS endpoint,
        json_extract_string(request['body'], '$') AS form
    FROM requests
),
carried AS (
    SELECT
        *,
        CASE WHEN endpoint <> '' AND final IS NULL THEN
            CASE json_type(request.body)
                WHEN 'OBJECT' THEN CASE
                    WHEN json_exists(request.body, '$.data') THEN json_extract_string(request.body, '$.data')
                    ELSE coalesce(request.query.data, CAST(request.body AS VARCHAR)) END
                WHEN 'ARRAY' THEN CAST(request.body AS VARCHAR)
                ELSE coalesce(
                    request.query.data,
                    -- a form that was recorded as it came; one of a single field is not searched, which would cost most of all
                    TRY(url_decode(nullif(CASE
                        WHEN starts_with(form, 'data=') AND NOT contains(form, '&') THEN substring(form, 6)
                        ELSE regexp_extract(form, '(?:^|&)data=([^&]*)', 1) END, ''))),
                    form)
            END
        END AS carrier
    FROM addressed
),
decoded AS (
    SELECT
        * EXCLUDE (carrier, form),
        ltrim(carrier, e' \t\r\n') <> '' AS carries,
        CASE
            WHEN left(ltrim(carrier, e' \t\r\n'), 1) IN ('{', '[') THEN CASE
                WHEN json_valid(carrier) THEN carrier
                -- one call a line; no JSON text holds a bare line break
                ELSE '[' || replace(trim(carrier, e' \t\r\n'), chr(10), ',') || ']' END
            -- a plus that was read as a blank, the alphabet for addresses; then, with care, blanks around it and padding left out
            ELSE coalesce(
                CASE WHEN right(carrier, 1) NOT IN (' ', e'\t', e'\r', e'\n') THEN
                    TRY(decode(from_base64(replace(replace(replace(carrier, ' ', '+'), '-', '+'), '_', '/')))) END,
                TRY(decode(from_base64(rpad(
                    translate(rtrim(carrier, e' \t\r\n='), ' -_', '++/'),
                    CAST(4 * ceil(len(rtrim(carrier, e' \t\r\n=')) / 4) AS INTEGER), '=')))))
        END AS data
    FROM carried
),
judged_requests AS (
    SELECT
        *,
        CASE WHEN json_valid(data) THEN json_type(data) END AS kind,
        CASE
            WHEN final IS NOT NULL THEN final
            WHEN coalesce(endpoint, '') = '' THEN 'not a tracker request'
            WHEN carries IS NOT TRUE THEN 'empty request'
            WHEN data IS NULL THEN 'malformed base64'
            WHEN kind IS NULL THEN 'malformed JSON'
            WHEN kind = 'ARRAY' THEN CASE WHEN json_array_length(data) = 0 THEN 'empty request' ELSE 'calls' END
            WHEN kind = 'OBJECT' THEN 'calls'
            ELSE 'not a JSON object'
        END AS request_outcome
    FROM decoded
),
calls AS (
    SELECT
        * EXCLUDE (data, kind, text),
        unnest(CASE
            WHEN request_outcome <> 'calls' THEN [NULL::JSON]
            WHEN kind = 'ARRAY' THEN CAST(json_extract(data, '$[*]') AS JSON[])
            ELSE [CAST(data AS JSON)]
        END) AS call
    FROM judged_requests
),
parsed AS (
    SELECT
        *,
        CASE WHEN json_type(call) = 'OBJECT' THEN TRY(from_json(call, $event)) END AS j,
        j['properties'] AS p
    FROM calls
),
timed AS (
    SELECT
        *,
        CASE WHEN endpoint IN ('track', 'import') THEN /* time */ ELSE /* profile_time */ END AS client_at,
        TRY(make_timestamp(TRY_CAST(request.query._ AS BIGINT) * 1000)) AS sent_at,
        CASE WHEN p IS NOT NULL THEN json_keys(call, '$.properties') END AS names,
        CASE WHEN len(names) > 0 THEN json_extract_string(call, '$.properties.*') ELSE [] END AS texts
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN request_outcome <> 'calls' THEN request_outcome
        WHEN j IS NULL THEN 'not a JSON object'
        WHEN endpoint IN ('track', 'import') THEN CASE
            WHEN len(names) > 0 THEN 'call'
            -- only an object has names: look again, only here
            WHEN p IS NULL THEN 'not a Mixpanel event'
            WHEN json_type(call, '$.properties') = 'OBJECT' THEN 'call'
            ELSE 'unusable properties' END
        WHEN j."$set" IS NULL AND json_type(call, '$."$set"') NOT IN ('NULL')
            OR j."$set_once" IS NULL AND json_type(call, '$."$set_once"') NOT IN ('NULL') THEN 'unusable properties'
        WHEN endpoint = 'groups' THEN 'group'
        ELSE 'identify'
    END AS outcome,
    CAST(call AS VARCHAR) AS content,
    j.event AS event,
    coalesce(p."$user_id", j."$user_id") AS user_id,
    coalesce(p.distinct_id, j."$distinct_id") AS distinct_id,
    coalesce(p."$device_id", j."$device_id") AS device_id,
    p.distinct_id AS ingested_id,
    p."$insert_id" AS insert_id,
    -- without a time the call happened when it arrived; a request that leaves before its calls has some other number as _
    coalesce(CASE WHEN sent_at >= client_at THEN received_at - (sent_at - client_at) END, client_at, received_at) AS occurred_at,
    client_at,
    received_at,
    CASE WHEN endpoint = 'groups' THEN j."$group_id" ELSE /* account */ END AS account_raw,
    p,
    names,
    texts,
    -- what is set once never overrides what is set
    CASE WHEN endpoint IN ('engage', 'groups') THEN
        coalesce(map_concat(j."$set_once", j."$set"), MAP {})
    END AS traits,
    -- a server's own library speaks for its server, not for the person
    CASE WHEN coalesce(request.headers.origin, request.headers.referer) IS NOT NULL THEN request.headers."user-agent" END AS user_agent,
    coalesce(p.ip, j."$ip") AS address
FROM timed
