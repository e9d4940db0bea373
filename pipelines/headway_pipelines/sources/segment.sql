-- Segment calls, one JSON object a line, as events of the common shape. RudderStack's are the same calls.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $structure, what is read out of a line, see `segment.calls`
--         $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- slots:  /* around */ is a list of pairs, key and value, of what the page and the session around a call say; NULL where
--         none of it becomes properties
-- source: https://segment.com/docs/connections/spec/common (field meanings, timestamp correction),
--         https://www.rudderstack.com/docs/event-spec/standard-events/common-fields/ (context.sessionId, context.traits)
-- A malformed line becomes NULL and is counted as such; everything is read as text, the plan decides on types.
-- A test first: it costs a tenth of what TRY around the whole structure does; and around the text, or all of it is copied.
-- Nearly all lines begin and end alike, and a look at those characters spares the patterns.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN (starts_with(text, '{') OR regexp_matches(text, '^[ \t\r\n]*\{'))
            AND CASE WHEN $hasty THEN ends_with(text, e'}\n') OR regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, $structure) AS j
    FROM frames
),
timed AS (
    SELECT
        batch, line, position, text, j,
        make_timestamp(epoch_us(TRY_CAST(j.timestamp AS TIMESTAMPTZ))) AS corrected_at,
        make_timestamp(epoch_us(TRY_CAST(j.originalTimestamp AS TIMESTAMPTZ))) AS original_at,
        -- only needed where the server did not correct the clock itself
        CASE WHEN corrected_at IS NULL THEN make_timestamp(epoch_us(TRY_CAST(j.sentAt AS TIMESTAMPTZ))) END AS sent_at,
        make_timestamp(epoch_us(TRY_CAST(j.receivedAt AS TIMESTAMPTZ))) AS received_at,
        -- all but a few calls are events, and theirs are read into lists: a MAP costs three times as much
        j.type IN ('track', 'page', 'screen') AS is_event,
        CASE WHEN is_event AND starts_with(j.properties, '{') THEN json_keys(j.properties) END AS names,
        CASE WHEN names IS NOT NULL THEN json_extract_string(j.properties, '$.*') END AS texts,
        CASE WHEN is_event IS NOT TRUE THEN from_json(j.properties, '"MAP(VARCHAR, VARCHAR)"') END AS said,
        CASE WHEN is_event THEN
            -- what the page and the session say belongs to the event, unless the event says it itself
            list_filter(/* around */, lambda e: e.value <> '' AND list_contains(names, e.key) IS NOT TRUE)
        END AS around
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        -- a list, a bare value, or (but for events, where the gate looks for it) an object that repeats a name
        WHEN j.properties IS NOT NULL AND names IS NULL AND said IS NULL THEN 'unusable properties'
        WHEN is_event THEN 'event'
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
    -- times may lie further apart than can be said
    coalesce(corrected_at, TRY(received_at - (sent_at - original_at)), original_at) AS occurred_at,
    coalesce(original_at, corrected_at) AS client_at,
    received_at,
    CASE WHEN j.type IN ('identify', 'group') THEN NULL ELSE said END AS properties,
    CASE WHEN len(around) > 0 THEN list_concat(list_transform(around, lambda e: e.key), names) ELSE names END AS property_names,
    CASE WHEN len(around) > 0 THEN list_concat(list_transform(around, lambda e: e.value), texts) ELSE texts END AS property_texts,
    CASE j.type
        WHEN 'identify' THEN coalesce(j.traits, j.context.traits, said)
        WHEN 'group' THEN coalesce(j.traits, said)
    END AS traits,
    j.context.userAgent AS user_agent,
    j.context.ip AS address,
    j.context.consent::VARCHAR AS consent
FROM timed
