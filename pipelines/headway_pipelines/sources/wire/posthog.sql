-- Recorded HTTP requests of PostHog clients, as posthog.sql reads them.
-- grain:  one row per call of an accepted request; one row per request without calls, refused or unreadable
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in posthog.py
-- source: https://posthog.com/docs/api/capture (requests)
-- A client's `timestamp` is by its own clock; sent_at by the same clock and received_at by ours tell how far that is
-- off. Old clients send how many milliseconds ago it was (offset), or sent_at as `_` in the query.
WITH judged AS (
    SELECT
        *,
        json_extract_string(request.body, '$.sent_at') AS sent,
        -- a list of calls, a batch of them, or a single one; some clients call the batch data
        CASE
            WHEN json_type(request.body) = 'ARRAY' THEN TRY(CAST(request.body AS JSON[]))
            WHEN json_type(request.body, '$.batch') = 'ARRAY' THEN TRY(CAST(json_extract(request.body, '$.batch') AS JSON[]))
            WHEN json_type(request.body, '$.data') = 'ARRAY' THEN TRY(CAST(json_extract(request.body, '$.data') AS JSON[]))
            WHEN json_type(request.body, '$.event') = 'VARCHAR' THEN [request.body]
        END AS calls,
        CASE
            WHEN final IS NOT NULL THEN final
            WHEN calls IS NULL THEN CASE
                -- clients also ask for feature flags and settings, and send recordings of the screen
                WHEN regexp_matches(request.path, '^/(flags|decide|array|static|s|api|surveys|engage)(/|$)') THEN 'request without events'
                ELSE 'not a tracker request' END
            WHEN len(calls) = 0 THEN 'empty request'
        END AS request_outcome
    FROM requests
),
each AS (
    SELECT batch, line, position, received_at, request_outcome, request, sent, unnest(CASE WHEN request_outcome IS NULL THEN calls ELSE [NULL] END) AS call
    FROM judged
),
parsed AS (
    SELECT
        *,
        CASE WHEN json_type(call) = 'OBJECT' THEN TRY(from_json(call, '{
            "uuid": "VARCHAR", "event": "VARCHAR", "distinct_id": "VARCHAR", "timestamp": "VARCHAR", "offset": "BIGINT",
            "properties": {"distinct_id": "VARCHAR", "$insert_id": "VARCHAR", "$ignore_sent_at": "VARCHAR"},
            "$set": "MAP(VARCHAR, VARCHAR)", "$set_once": "MAP(VARCHAR, VARCHAR)"}')) END AS j
    FROM each
),
timed AS (
    SELECT
        *,
        make_timestamp(epoch_us(TRY_CAST(j.timestamp AS TIMESTAMPTZ))) AS original_at,
        CASE WHEN j.properties."$ignore_sent_at" = 'true' THEN NULL ELSE coalesce(
            make_timestamp(epoch_us(TRY_CAST(sent AS TIMESTAMPTZ))),
            TRY(make_timestamp_ms(TRY_CAST(request.query._ AS BIGINT)))
        ) END AS sent_at
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN request_outcome IS NOT NULL THEN request_outcome
        WHEN j IS NULL THEN 'not a JSON object'
        WHEN json_type(call, '$.properties') NOT IN ('OBJECT', 'NULL') THEN 'unusable properties'
    END AS outcome,
    CAST(call AS VARCHAR) AS content,
    coalesce(j.uuid, j.properties."$insert_id") AS uuid,
    j.event AS event,
    coalesce(j.distinct_id, j.properties.distinct_id) AS distinct_id,
    NULL::VARCHAR AS member,
    nullif(CAST(json_extract(call, '$.properties') AS VARCHAR), 'null') AS properties,
    CASE
        WHEN j."$set_once" IS NULL THEN j."$set"
        WHEN j."$set" IS NULL THEN j."$set_once"
        ELSE map_concat(j."$set_once", j."$set")
    END AS said,
    NULL::MAP(VARCHAR, VARCHAR) AS known,
    coalesce(
        -- times may lie further apart than can be said
        TRY(received_at - to_milliseconds(j.offset)),
        TRY(received_at - (sent_at - original_at)),
        original_at,
        received_at
    ) AS happened_at,
    coalesce(original_at, sent_at) AS client_at,
    received_at AS arrived_at
FROM timed
