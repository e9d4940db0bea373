-- PostHog batch exports in Parquet, as posthog.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, fields)
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- properties and person_properties are JSON text in a column.
WITH parsed AS (
    SELECT
        *,
        CASE WHEN json_valid(fields['properties']) THEN TRY(from_json(fields['properties'], '"MAP(VARCHAR, VARCHAR)"')) END AS properties,
        TRY(from_json(fields['person_properties'], '"MAP(VARCHAR, VARCHAR)"')) AS said
    FROM frames
)
SELECT
    batch, line, position,
    -- no properties at all are none; some that cannot be read are not
    CASE WHEN properties IS NULL AND fields['properties'] <> 'null' THEN 'unusable properties' END AS outcome,
    record AS content,
    fields['uuid'] AS uuid,
    fields['event'] AS event,
    fields['distinct_id'] AS distinct_id,
    properties,
    said,
    CAST(TRY_CAST(fields['timestamp'] AS TIMESTAMPTZ) AS TIMESTAMP) AS happened_at,
    happened_at AS client_at,
    CAST(TRY_CAST(fields['created_at'] AS TIMESTAMPTZ) AS TIMESTAMP) AS arrived_at
FROM parsed
