-- Segment calls, one JSON object a line, as events of the common shape. RudderStack's are the same calls.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $surroundings, whether the page and the session around a call become properties
--         $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- source: https://segment.com/docs/connections/spec/common (field meanings, timestamp correction),
--         https://www.rudderstack.com/docs/event-spec/standard-events/common-fields/ (context.sessionId, context.traits)
-- A malformed line becomes NULL and is counted as such; everything is read as text, the plan decides on types.
-- A test first: it costs a tenth of what TRY around the whole structure does; and around the text, or all of it is copied.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, '{
            "type": "VARCHAR", "event": "VARCHAR", "messageId": "VARCHAR",
            "userId": "VARCHAR", "anonymousId": "VARCHAR", "previousId": "VARCHAR", "groupId": "VARCHAR",
            "timestamp": "VARCHAR", "originalTimestamp": "VARCHAR", "sentAt": "VARCHAR", "receivedAt": "VARCHAR",
            "context": {"groupId": "VARCHAR", "userAgent": "VARCHAR", "ip": "VARCHAR", "sessionId": "VARCHAR", "consent": "JSON",
                "page": {"url": "VARCHAR", "referrer": "VARCHAR", "title": "VARCHAR"}, "traits": "MAP(VARCHAR, VARCHAR)"},
            "properties": "MAP(VARCHAR, VARCHAR)", "traits": "MAP(VARCHAR, VARCHAR)"}') AS j
    FROM frames
),
timed AS (
    SELECT
        batch, line, position, text, j,
        CAST(TRY_CAST(j.timestamp AS TIMESTAMPTZ) AS TIMESTAMP) AS corrected_at,
        CAST(TRY_CAST(j.originalTimestamp AS TIMESTAMPTZ) AS TIMESTAMP) AS original_at,
        -- only needed where the server did not correct the clock itself
        CASE WHEN corrected_at IS NULL THEN CAST(TRY_CAST(j.sentAt AS TIMESTAMPTZ) AS TIMESTAMP) END AS sent_at,
        CAST(TRY_CAST(j.receivedAt AS TIMESTAMPTZ) AS TIMESTAMP) AS received_at
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        -- a MAP cannot be read from a list, a bare value or an object that repeats a name: look again, only here
        WHEN j.properties IS NULL AND json_type(text, '$.properties') NOT IN ('NULL') THEN 'unusable properties'
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
    text AS content,
    -- "infinity" is a time, too, and one cannot subtract from it
    coalesce(corrected_at, TRY(received_at - (sent_at - original_at)), original_at) AS occurred_at,
    coalesce(original_at, corrected_at) AS client_at,
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
