-- PostHog batch exports in JSON lines, as posthog.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The server has corrected the client's clock before it exported: there is one time beside the properties,
-- which differs between copies of an event.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, '{
            "uuid": "VARCHAR", "event": "VARCHAR", "distinct_id": "VARCHAR", "timestamp": "VARCHAR", "created_at": "VARCHAR",
            "properties": "JSON", "person_properties": "MAP(VARCHAR, VARCHAR)"}') AS j
    FROM frames
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN left(j.properties, 1) NOT IN ('{', 'n') THEN 'unusable properties'
    END AS outcome,
    text AS content,
    j.uuid AS uuid,
    j.event AS event,
    j.distinct_id AS distinct_id,
    nullif(CAST(j.properties AS VARCHAR), 'null') AS properties,
    j.person_properties AS said,
    CAST(TRY_CAST(j.timestamp AS TIMESTAMPTZ) AS TIMESTAMP) AS happened_at,
    NULL::TIMESTAMP AS client_at,
    CAST(TRY_CAST(j.created_at AS TIMESTAMPTZ) AS TIMESTAMP) AS arrived_at
FROM parsed
