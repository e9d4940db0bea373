-- PostHog batch exports in JSON lines, as posthog.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The server has corrected the client's clock before it exported: there is one time beside the properties,
-- which differs between copies of an event.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        CASE WHEN left(ltrim(text, e' \t\r\n'), 1) = '{' AND json_valid(text) THEN from_json(text, '{
            "uuid": "VARCHAR", "event": "VARCHAR", "distinct_id": "VARCHAR", "timestamp": "VARCHAR", "created_at": "VARCHAR",
            "properties": "JSON", "person_properties": "MAP(VARCHAR, VARCHAR)"}') END AS j
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
