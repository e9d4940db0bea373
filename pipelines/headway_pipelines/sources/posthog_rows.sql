-- PostHog batch exports in Parquet, events and persons, as posthog.sql reads them.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, parts)
-- params: $beginning, from when on holds what is known of persons; $members, how ids of persons begin; $deleted
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The time is the server's, as in posthog_jsonl.sql. properties and person_properties are JSON text in a column.
WITH told AS (
    SELECT
        *,
        CASE WHEN parts.uuid IS NULL AND parts.event IS NULL AND parts.timestamp IS NULL AND parts.distinct_id <> ''
            AND parts.person_id <> '' THEN $members || parts.person_id END AS member,
        CASE WHEN member IS NOT NULL THEN TRY(from_json(parts.properties, '"MAP(VARCHAR, VARCHAR)"')) END AS known
    FROM frames
)
SELECT
    batch, line, position,
    CASE
        WHEN member IS NOT NULL AND lower(parts.is_deleted) IN ('true', '1') THEN $deleted
        WHEN parts.properties <> 'null' AND coalesce(TRY(json_type(parts.properties)), '') <> 'OBJECT' THEN 'unusable properties'
        WHEN member IS NOT NULL AND known IS NULL AND parts.properties <> 'null' THEN 'unusable properties'
    END AS outcome,
    record AS content,
    parts.uuid AS uuid,
    parts.event AS event,
    parts.distinct_id AS distinct_id,
    member,
    CASE WHEN member IS NULL THEN nullif(parts.properties, 'null') END AS properties,
    TRY(from_json(parts.person_properties, '"MAP(VARCHAR, VARCHAR)"')) AS said,
    known,
    CASE
        WHEN member IS NULL THEN make_timestamp(epoch_us(TRY_CAST(parts.timestamp AS TIMESTAMPTZ)))
        ELSE $beginning + to_microseconds(least(greatest(coalesce(TRY_CAST(parts.person_version AS BIGINT), 0), 0), 86399999999))
    END AS happened_at,
    NULL::TIMESTAMP AS client_at,
    CASE WHEN member IS NULL THEN make_timestamp(epoch_us(TRY_CAST(parts.created_at AS TIMESTAMPTZ))) END AS arrived_at
FROM told
