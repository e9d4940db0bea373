-- Recorded HTTP requests of Segment clients, as events of the common shape. RudderStack's clients send the same.
-- grain:  one row per call of an accepted request; one row per request that was refused or cannot be read
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in segment.py
-- params: $surroundings, whether the page and the session around a call become properties
-- source: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api (requests),
--         https://segment.com/docs/connections/spec/common (field meanings, timestamp correction)
-- A client's `timestamp` is by its own clock; sentAt by the same clock and received_at by ours tell how far that is off.
WITH judged_requests AS (
    SELECT
        *,
        CASE
            WHEN final IS NOT NULL THEN final
            WHEN request.body.batch IS NOT NULL THEN
                CASE WHEN len(request.body.batch) = 0 THEN 'empty request' ELSE 'calls' END
            WHEN request.body.type IS NOT NULL THEN 'calls'
            ELSE 'not a tracker request'
        END AS request_outcome
    FROM requests
),
calls AS (
    SELECT
        batch, line, position, received_at, request_outcome, request,
        unnest(CASE
            WHEN request_outcome <> 'calls' THEN [NULL::JSON]
            WHEN request.body.batch IS NOT NULL THEN request.body.batch
            ELSE [json_extract(text, '$.body')]
        END) AS call
    FROM judged_requests
),
parsed AS (
    SELECT
        *,
        CASE WHEN json_type(call) = 'OBJECT' THEN TRY(from_json(call, '{
            "type": "VARCHAR", "event": "VARCHAR", "messageId": "VARCHAR",
            "userId": "VARCHAR", "anonymousId": "VARCHAR", "previousId": "VARCHAR", "groupId": "VARCHAR",
            "timestamp": "VARCHAR", "originalTimestamp": "VARCHAR", "sentAt": "VARCHAR",
            "context": {"groupId": "VARCHAR", "userAgent": "VARCHAR", "ip": "VARCHAR", "sessionId": "VARCHAR", "consent": "JSON",
                "page": {"url": "VARCHAR", "referrer": "VARCHAR", "title": "VARCHAR"}, "traits": "MAP(VARCHAR, VARCHAR)"},
            "properties": "MAP(VARCHAR, VARCHAR)", "traits": "MAP(VARCHAR, VARCHAR)"}')) END AS j
    FROM calls
),
timed AS (
    SELECT
        *,
        -- RudderStack's browsers send originalTimestamp alone; where both are sent, only timestamp is the caller's
        make_timestamp(epoch_us(TRY_CAST(coalesce(j.timestamp, j.originalTimestamp) AS TIMESTAMPTZ))) AS original_at,
        make_timestamp(epoch_us(TRY_CAST(coalesce(j.sentAt, request.body.sentAt) AS TIMESTAMPTZ))) AS sent_at
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN request_outcome <> 'calls' THEN request_outcome
        WHEN j IS NULL THEN 'not a JSON object'
        -- a MAP cannot be read from a list, a bare value or an object that repeats a name: look again, only here
        WHEN j.properties IS NULL AND json_type(call, '$.properties') NOT IN ('NULL') THEN 'unusable properties'
        WHEN j.type IN ('track', 'page', 'screen') THEN 'event'
        WHEN j.type IN ('identify', 'group', 'alias') THEN j.type
        ELSE 'unknown call type'
    END AS outcome,
    CASE j.type WHEN 'track' THEN j.event WHEN 'page' THEN 'Page Viewed' WHEN 'screen' THEN 'Screen Viewed' END AS event,
    j.userId AS user_raw,
    j.anonymousId AS device_raw,
    coalesce(j.context.groupId, j.groupId) AS account_raw,
    j.previousId AS alias_raw,
    j.messageId AS message_id,
    CAST(call AS VARCHAR) AS content,
    -- without a timestamp the call happened when it was sent
    -- and times may lie further apart than can be said
    coalesce(TRY(received_at - (sent_at - original_at)), original_at, received_at) AS occurred_at,
    coalesce(original_at, sent_at) AS client_at,
    received_at,
    CASE
        WHEN j.type IN ('identify', 'group') THEN NULL
        WHEN NOT $surroundings THEN j.properties
        WHEN coalesce(j.context.sessionId, j.context.page.url, j.context.page.referrer, j.context.page.title) IS NULL THEN j.properties
        -- what the page and the session say belongs to the event, unless the event says it itself
        ELSE map_from_entries(list_concat(
            list_filter(
                [('session_id', j.context.sessionId), ('url', j.context.page.url), ('referrer', j.context.page.referrer),
                    ('title', j.context.page.title)],
                lambda e: e[2] <> '' AND list_contains(map_keys(j.properties), e[1]) IS NOT TRUE
            ),
            map_entries(j.properties)
        ))
    END AS properties,
    CASE j.type
        WHEN 'identify' THEN coalesce(j.traits, j.context.traits, j.properties)
        WHEN 'group' THEN coalesce(j.traits, j.properties)
    END AS traits,
    j.context.userAgent AS user_agent,
    j.context.ip AS address,
    j.context.consent::VARCHAR AS consent
FROM timed
