-- Recorded HTTP requests of Amplitude clients (HTTP API v2, batches), as amplitude_events.sql reads them.
-- grain:  one row per event of an accepted request; one row per request that was refused or cannot be read
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in amplitude.py
-- slots:  /* time */ is the instant of e.time
-- source: https://amplitude.com/docs/apis/analytics/http-v2
-- An event's `time` is by its client's clock; client_upload_time by the same clock and received_at by ours tell how far
-- that is off.
WITH judged_requests AS (
    SELECT
        *,
        CASE
            WHEN final IS NOT NULL THEN final
            WHEN request.body.events IS NULL THEN 'not a tracker request'
            WHEN len(request.body.events) = 0 THEN 'empty request'
            ELSE 'calls'
        END AS request_outcome
    FROM requests
),
calls AS (
    SELECT
        batch, line, position, received_at, request_outcome, request,
        unnest(CASE WHEN request_outcome = 'calls' THEN request.body.events ELSE [NULL::JSON] END) AS call
    FROM judged_requests
),
timed AS (
    SELECT
        *,
        CASE WHEN json_type(call) = 'OBJECT' THEN TRY(from_json(call, $event)) END AS e,
        /* time */ AS sent_time,
        make_timestamp(epoch_us(TRY_CAST(request.body.client_upload_time AS TIMESTAMPTZ))) AS uploaded_at,
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
