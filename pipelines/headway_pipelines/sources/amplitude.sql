-- Lines of Amplitude's export (Export API, S3 and other storage), as amplitude_events.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- slots:  /* merge_time */ is an expression over merge_text, the time of a merge
-- source: https://amplitude.com/docs/data/destination-catalog/amazon-s3 (fields, clock correction, merged ids)
-- Times are UTC and carry no zone. Where there is no corrected time the client's own is corrected by the rule of Amplitude.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, $event) AS j
    FROM frames
),
timed AS (
    SELECT
        *,
        make_timestamp(epoch_us(TRY_CAST(j.event_time AS TIMESTAMPTZ))) AS event_at,
        make_timestamp(epoch_us(TRY_CAST(j.client_event_time AS TIMESTAMPTZ))) AS client_at,
        -- only needed where the time was not corrected
        CASE WHEN event_at IS NULL THEN make_timestamp(epoch_us(TRY_CAST(j.client_upload_time AS TIMESTAMPTZ))) END AS uploaded_at,
        make_timestamp(epoch_us(TRY_CAST(j.server_received_time AS TIMESTAMPTZ))) AS received_at,
        coalesce(j.merge_event_time, j.merge_time, j.merge_server_time) AS merge_text
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN j.merged_amplitude_id IS NOT NULL AND j.event_type IS NULL THEN 'merge'
        ELSE 'call'
    END AS outcome,
    text AS content,
    j AS e,
    coalesce(j."$insert_id", j.insert_id) AS insert_id,
    NULL::VARCHAR AS agent,
    coalesce(event_at, client_at + (received_at - uploaded_at), client_at, /* merge_time */) AS occurred_at,
    coalesce(client_at, event_at) AS client_at,
    received_at
FROM timed
