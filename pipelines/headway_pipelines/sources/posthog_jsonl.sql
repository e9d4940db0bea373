-- PostHog batch exports in JSON lines, events and persons, as posthog.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- params: $hasty, whether a line that ends as an object does is taken for one: if it is not, the whole query fails
--         $beginning, from when on holds what is known of persons; $members, how ids of persons begin; $deleted
-- source: https://posthog.com/docs/cdp/batch-exports/s3
-- The server has corrected the client's clock before it exported: there is one time beside the properties,
-- which differs between copies of an event.
-- A row of the persons model has no time: what its latest version says holds ever, so each version begins a microsecond
-- after the one before. A deleted person is nobody any more.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        from_json(CASE WHEN regexp_matches(text, '^[ \t\r\n]*\{')
            AND CASE WHEN $hasty THEN regexp_matches(text, '\}[ \t\r\n]*$') ELSE json_valid(text) END
        THEN text END, '{
            "uuid": "VARCHAR", "event": "VARCHAR", "distinct_id": "VARCHAR", "timestamp": "VARCHAR", "created_at": "VARCHAR",
            "properties": "JSON", "person_properties": "MAP(VARCHAR, VARCHAR)"}') AS j
    FROM frames
),
told AS (
    SELECT
        *,
        -- read only where there is no event
        CASE WHEN j.uuid IS NULL AND j.event IS NULL AND j.timestamp IS NULL AND j.distinct_id <> '' THEN
            from_json(text, '{"person_id": "VARCHAR", "person_version": "VARCHAR", "is_deleted": "VARCHAR"}') END AS person,
        CASE WHEN person['person_id'] <> '' THEN $members || person['person_id'] END AS member,
        CASE WHEN member IS NOT NULL THEN from_json(j.properties, '"MAP(VARCHAR, VARCHAR)"') END AS known
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN j IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN json_valid(text) THEN 'not a JSON object'
            ELSE 'malformed JSON' END
        WHEN member IS NOT NULL AND lower(person.is_deleted) IN ('true', '1') THEN $deleted
        WHEN left(j.properties, 1) NOT IN ('{', 'n') THEN 'unusable properties'
        -- an object that repeats a name
        WHEN member IS NOT NULL AND known IS NULL AND left(j.properties, 1) = '{' THEN 'unusable properties'
    END AS outcome,
    text AS content,
    j.uuid AS uuid,
    j.event AS event,
    j.distinct_id AS distinct_id,
    member,
    CASE WHEN member IS NULL THEN nullif(CAST(j.properties AS VARCHAR), 'null') END AS properties,
    j.person_properties AS said,
    known,
    CASE
        WHEN member IS NULL THEN make_timestamp(epoch_us(TRY_CAST(j.timestamp AS TIMESTAMPTZ)))
        ELSE $beginning + to_microseconds(least(greatest(coalesce(TRY_CAST(person.person_version AS BIGINT), 0), 0), 86399999999))
    END AS happened_at,
    NULL::TIMESTAMP AS client_at,
    CASE WHEN member IS NULL THEN make_timestamp(epoch_us(TRY_CAST(j.created_at AS TIMESTAMPTZ))) END AS arrived_at
FROM told
