-- What Snowplow's self-describing JSON says: the event's own data and its contexts, taken out of their envelopes.
-- grain:  one row per row given
-- inputs: given: the columns of snowplow_events.sql without body and entities, and instead of them the JSON texts
--         unstruct_event, contexts and derived_contexts
-- source: https://docs.snowplow.io/docs/api-reference/enrichment-components/ (schemas unstruct_event and contexts)
-- A context is known by the name in its schema, iglu:vendor/name/format/version.
WITH read AS (
    SELECT
        *,
        CASE WHEN unstruct_event <> '' AND json_valid(unstruct_event) THEN from_json(
            unstruct_event, '{"data": {"schema": "VARCHAR", "data": "JSON"}}') END AS own,
        CASE WHEN contexts <> '' AND json_valid(contexts) THEN from_json(
            contexts, '{"data": [{"schema": "VARCHAR", "data": "JSON"}]}').data END AS sent,
        CASE WHEN derived_contexts <> '' AND json_valid(derived_contexts) THEN from_json(
            derived_contexts, '{"data": [{"schema": "VARCHAR", "data": "JSON"}]}').data END AS derived
    FROM given
)
SELECT
    * EXCLUDE (unstruct_event, contexts, derived_contexts, own, sent, derived) REPLACE (
        CASE
            WHEN outcome <> 'event' THEN outcome
            WHEN unstruct_event <> '' AND left(own.data.data, 1) IS DISTINCT FROM '{' THEN
                CASE WHEN json_valid(unstruct_event) THEN 'unusable properties' ELSE 'malformed event data' END
            WHEN (contexts <> '' AND sent IS NULL) OR (derived_contexts <> '' AND derived IS NULL) THEN 'malformed contexts'
            ELSE outcome
        END AS outcome,
        coalesce(nullif(event_name, ''), nullif(split_part(own.data.schema, '/', 2), '')) AS event_name
    ),
    CASE WHEN left(own.data.data, 1) = '{' THEN own.data.data END AS body,
    list_transform(
        list_filter(list_concat(sent, derived), lambda e: json_type(e.data) = 'OBJECT' AND split_part(e.schema, '/', 2) <> ''),
        lambda e: {'name': split_part(e.schema, '/', 2), 'data': e.data}
    ) AS entities
FROM read
