-- Recorded HTTP requests of Amplitude clients (HTTP API v2, batches), as amplitude_events.sql reads them.
-- grain:  one row per event of an accepted request; one row per request that was refused or cannot be read
-- inputs: frames(batch, line, position, text)
-- slots:  /* time */ is the instant of e.time
-- source: https://amplitude.com/docs/apis/analytics/http-v2
-- An event's `time` is by its client's clock; client_upload_time by the same clock and received_at by ours tell how far
-- that is off.
WITH requests AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r'), 1) = '{' THEN TRY(from_json(text, '{
            "received_at": "VARCHAR", "responded": "BIGINT", "path": "VARCHAR",
            "body": {"events": ["JSON"], "client_upload_time": "VARCHAR"},
            "headers": {"user-agent": "VARCHAR", "origin": "VARCHAR", "referer": "VARCHAR"}}')) END AS request
    FROM frames
),
judged_requests AS (
    SELECT
        *,
        CASE
            WHEN request IS NULL THEN CASE
                WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
                WHEN NOT json_valid(text) THEN 'malformed JSON'
                ELSE 'not a tracker request' END
            WHEN request.responded >= 400 THEN 'refused request'
            WHEN request.body.events IS NULL THEN 'not a tracker request'
            WHEN len(request.body.events) = 0 THEN 'empty request'
            ELSE 'calls'
        END AS request_outcome
    FROM requests
),
calls AS (
    SELECT
        batch, line, position, request_outcome, request,
        unnest(CASE WHEN request_outcome = 'calls' THEN request.body.events ELSE [NULL::JSON] END) AS call
    FROM judged_requests
),
timed AS (
    SELECT
        *,
        CASE WHEN json_type(call) = 'OBJECT' THEN TRY(from_json(call, $event)) END AS e,
        /* time */ AS sent_time,
        CAST(TRY_CAST(request.body.client_upload_time AS TIMESTAMPTZ) AS TIMESTAMP) AS uploaded_at,
        CAST(TRY_CAST(request.received_at AS TIMESTAMPTZ) AS TIMESTAMP) AS received_at,
        -- a server's own library speaks for its server, not for the person
        CASE WHEN coalesce(request.headers.origin, request.headers.referer) IS NOT NULL THEN request.headers."user-agent" END AS agent
    FROM calls
)
SELECT
    batch, line, position,
    CASE
        WHEN request_outcome <> 'calls' THEN request_outcome
        WHEN e IS NULL THEN 'not a JSON object'
        ELSE 'call'
    END AS outcome,
    CAST(call AS VARCHAR) AS content,
    e,
    coalesce(e.insert_id, e."$insert_id") AS insert_id,
    agent,
    -- without a time the event happened when it was sent
    coalesce(received_at - (uploaded_at - sent_time), sent_time, received_at) AS occurred_at,
    coalesce(sent_time, uploaded_at) AS client_at,
    received_at
FROM timed
