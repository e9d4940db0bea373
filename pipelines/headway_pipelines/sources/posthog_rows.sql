-- PostHog batch exports in Parquet, as posthog.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, parts)
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The time is the server's, as in posthog_jsonl.sql. properties and person_properties are JSON text in a column.
SELECT
    batch, line, position,
    CASE WHEN parts.properties <> 'null' AND coalesce(TRY(json_type(parts.properties)), '') <> 'OBJECT' THEN 'unusable properties' END AS outcome,
    record AS content,
    parts.uuid AS uuid,
    parts.event AS event,
    parts.distinct_id AS distinct_id,
    nullif(parts.properties, 'null') AS properties,
    TRY(from_json(parts.person_properties, '"MAP(VARCHAR, VARCHAR)"')) AS said,
    CAST(TRY_CAST(parts.timestamp AS TIMESTAMPTZ) AS TIMESTAMP) AS happened_at,
    NULL::TIMESTAMP AS client_at,
    CAST(TRY_CAST(parts.created_at AS TIMESTAMPTZ) AS TIMESTAMP) AS arrived_at
FROM frames
