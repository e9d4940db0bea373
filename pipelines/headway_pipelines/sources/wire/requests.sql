-- Recorded HTTP requests, opened: where the query of every decoder of requests begins.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $request, what a decoder reads of a request, as a structure; received_at and responded (the HTTP status) are in it
-- A request that was refused (status 400 or more) is not read: its client sends the same calls again.
-- final says why a line carries no calls; NULL where the decoder has to look.
WITH opened AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r\n'), 1) = '{' AND json_valid(text) THEN TRY(from_json(text, $request)) END AS request
    FROM frames
)
SELECT
    batch, line, position, text, request,
    CASE
        WHEN request IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN NOT json_valid(text) THEN 'malformed JSON'
            ELSE 'not a tracker request' END
        WHEN request.responded >= 400 THEN 'refused request'
    END AS final,
    make_timestamp(epoch_us(TRY_CAST(request.received_at AS TIMESTAMPTZ))) AS received_at
FROM opened
