-- Rows of Snowplow's events table in a warehouse, exported with their column names.
-- grain:  one row per framed row
-- inputs: frames(batch, line, position, record, parts, others): parts are the columns of snowplow.py, others what the rest of
--         them holds
-- source: https://docs.snowplow.io/docs/destinations/warehouses-lakes/schemas-in-warehouse/ (columns of contexts and
--         self-describing events: <kind>_<vendor>_<name>_<version>)
-- params: $chosen_names, what columns kept as properties are called; $vendors, a pattern of the vendors whose name is cut
--         from the column of a context
-- slots:  /* chosen */ lists the values of those columns
WITH described AS (
    SELECT
        *,
        list_filter(others, lambda e: starts_with(e.key, 'unstruct_event_') AND e.value NOT IN ('[]', '{}')) AS own,
        list_filter(others, lambda e: starts_with(e.key, 'contexts_') AND e.value NOT IN ('[]', '{}')) AS cells
    FROM frames
),
chosen AS (
    SELECT
        *,
        -- a table has one such column per kind of event, and only one is filled; some loaders make it a list of one
        coalesce(list_filter(own, lambda e: contains(e.key, '_' || parts.event_name || '_'))[1], own[1]).value AS cell,
        CASE WHEN left(cell, 1) = '[' AND json_valid(cell) THEN CAST(json_extract(cell, '$[0]') AS VARCHAR) ELSE cell END AS own_text,
        list_transform(cells, lambda e: {
            'name': regexp_replace(regexp_replace(e.key, $vendors, ''), '_[0-9]+(_[0-9]+_[0-9]+)?$', ''),
            'list': CASE WHEN NOT json_valid(e.value) THEN NULL
                WHEN json_type(e.value) = 'ARRAY' THEN from_json(e.value, '["JSON"]')
                WHEN json_type(e.value) = 'OBJECT' THEN [e.value::JSON] END
        }) AS groups
    FROM described
),
read AS (
    SELECT
        *,
        CASE WHEN json_valid(own_text) AND json_type(own_text) = 'OBJECT' THEN own_text::JSON END AS body,
        len(list_filter(groups, lambda g: g.list IS NULL)) > 0 AS malformed
    FROM chosen
)
SELECT
    batch, line, position,
    CASE
        WHEN own_text IS NOT NULL AND body IS NULL THEN
            CASE WHEN json_valid(own_text) THEN 'unusable properties' ELSE 'malformed event data' END
        WHEN malformed THEN 'malformed contexts'
        ELSE 'event'
    END AS outcome,
    record AS content,
    parts.event AS event,
    parts.event_name AS event_name,
    parts.user_id AS user_id,
    parts.domain_userid AS domain_userid,
    parts.network_userid AS network_userid,
    parts.domain_sessionid AS domain_sessionid,
    parts.event_id AS event_id,
    make_timestamp(epoch_us(TRY_CAST(parts.true_tstamp AS TIMESTAMPTZ))) AS true_tstamp,
    make_timestamp(epoch_us(TRY_CAST(parts.derived_tstamp AS TIMESTAMPTZ))) AS derived_tstamp,
    make_timestamp(epoch_us(TRY_CAST(parts.dvce_created_tstamp AS TIMESTAMPTZ))) AS dvce_created_tstamp,
    make_timestamp(epoch_us(TRY_CAST(parts.dvce_sent_tstamp AS TIMESTAMPTZ))) AS dvce_sent_tstamp,
    make_timestamp(epoch_us(TRY_CAST(parts.collector_tstamp AS TIMESTAMPTZ))) AS collector_tstamp,
    parts.useragent AS user_agent,
    parts.user_ipaddress AS address,
    list_zip($chosen_names, [/* chosen */]) AS atomic,
    parts.se_category AS se_category,
    parts.se_action AS se_action,
    body,
    list_filter(
        flatten(list_transform(groups, lambda g: list_transform(g.list, lambda d: {'name': g.name, 'data': d}))),
        lambda e: json_type(e.data) = 'OBJECT'
    ) AS entities
FROM read
