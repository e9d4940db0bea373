-- PostHog batch exports in Parquet, as posthog.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, fields)
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The time is the server's, as in posthog_jsonl.sql. properties and person_properties are JSON text in a column.
SELECT
    batch, line, position,
    CASE WHEN fields['properties'] <> 'null' AND coalesce(TRY(json_type(fields['properties'])), '') <> 'OBJECT' THEN 'unusable properties' END AS outcome,
    record AS content,
    fields['uuid'] AS uuid,
    fields['event'] AS event,
    fields['distinct_id'] AS distinct_id,
    nullif(fields['properties'], 'null') AS properties,
    TRY(from_json(fields['person_properties'], '"MAP(VARCHAR, VARCHAR)"')) AS said,
    CAST(TRY_CAST(fields['timestamp'] AS TIMESTAMPTZ) AS TIMESTAMP) AS happened_at,
    NULL::TIMESTAMP AS client_at,
    CAST(TRY_CAST(fields['created_at'] AS TIMESTAMPTZ) AS TIMESTAMP) AS arrived_at
FROM frames
