-- CloudEvents in JSON, one event a line or a batch of them (a JSON list on one line), as mapped.sql reads them.
-- grain:  one row per event; one row per line without any
-- inputs: frames(batch, line, position, text)
-- source: https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md
--         https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/data-classification.md
-- params: $levels, $regulations, $categories: labels of data that are accepted, in lower case
--         $attributes: what is read of an event, as a structure of texts
--         $hasty, whether what begins as an object does is taken for one: if it is not, the whole query fails
-- fields: those attributes, `data` decoded; nested values stay JSON text. members: member of data -> text;
--         member_names and member_texts say the same in two lists.
-- A MAP of all attributes would cost twice what the structure and the look for repeated names do. Most names are compared
-- one with another, which for many of them would take too long.
-- An event whose label is not accepted must be rejected, and so must one whose label is unknown.
WITH cut AS (
    SELECT
        batch, line, position, text,
        CASE left(ltrim(text, e' \t\r\n'), 1)
            WHEN '[' THEN TRY(CAST(from_json(text, '["JSON"]') AS VARCHAR[]))
            WHEN '{' THEN [text]
        END AS events
    FROM frames
),
each AS (
    SELECT
        batch, line, position, text, len(events) AS events,
        unnest(CASE WHEN len(events) > 0 THEN events ELSE [NULL] END) AS event
    FROM cut
),
named AS (
    SELECT
        *,
        CASE WHEN left(ltrim(event, e' \t\r\n'), 1) = '{' AND ($hasty OR json_valid(event)) THEN json_keys(event) END AS names
    FROM each
),
checked AS (
    SELECT
        *,
        CASE WHEN len(names) <= 64 THEN len(list_filter(names, lambda x, i: list_position(names, x) <> i)) = 0
            ELSE len(names) = len(list_distinct(names)) END AS distinct_names
    FROM named
),
parsed AS (
    SELECT *, from_json(CASE WHEN distinct_names THEN event END, $attributes) AS attributes FROM checked
),
opened AS (
    SELECT *, attributes['data_base64'] AS encoded, TRY(decode(from_base64(attributes['data_base64']))) AS plain FROM parsed
),
decoded AS (
    SELECT
        *,
        CASE WHEN plain IS NOT NULL THEN struct_update(attributes, data := plain) ELSE attributes END AS fields
    FROM opened
)
SELECT
    batch, line, position,
    CASE
        WHEN fields IS NULL THEN CASE
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN NOT json_valid(text) THEN 'malformed JSON'
            WHEN events = 0 THEN 'empty batch'
            WHEN coalesce(json_type(event), '') <> 'OBJECT' THEN 'not a JSON object'
            ELSE 'a name occurs twice' END
        -- what the specification requires of every event
        WHEN coalesce(fields['specversion'], '') = '' OR coalesce(fields['type'], '') = ''
            OR coalesce(fields['source'], '') = '' OR coalesce(fields['id'], '') = '' THEN 'not a CloudEvent'
        WHEN lower(trim(fields['dataclassification'])) NOT IN $levels THEN 'data classification not accepted'
        WHEN len(list_filter(
            string_split(lower(fields['dataregulation']), ','), lambda each_one: trim(each_one) NOT IN $regulations
        )) > 0 THEN 'data regulation not accepted'
        WHEN lower(trim(fields['datacategory'])) NOT IN $categories THEN 'data category not accepted'
        WHEN encoded IS NOT NULL AND plain IS NULL THEN 'unusable data'
        ELSE 'event'
    END AS outcome,
    event AS content,
    fields,
    -- the same twice, of which a mapping reads one: a MAP costs as much as everything else
    CASE WHEN left(fields['data'], 1) = '{' THEN TRY(from_json(fields['data'], '"MAP(VARCHAR, VARCHAR)"')) END AS members,
    CASE WHEN left(fields['data'], 1) = '{' THEN TRY(json_keys(fields['data'])) END AS member_names,
    CASE WHEN member_names IS NOT NULL THEN json_extract_string(fields['data'], '$.*') END AS member_texts
FROM decoded
