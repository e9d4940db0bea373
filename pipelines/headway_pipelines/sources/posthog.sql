-- PostHog events, from an export or from a client's request, as events of the common shape.
-- grain:  one row per call given; two for a call that names a person by an id that looks like an anonymous one, and for
--         one that says who a person is
-- inputs: given(batch, line, position, outcome, content, uuid, event, distinct_id, member, properties, said, known, happened_at,
--             client_at, arrived_at)
--         outcome is NULL where there is a call; properties is JSON text; said holds person properties from beside them;
--         member is PostHog's own id of the person, where the row says nothing but whose distinct_id is and what is known
-- source: https://posthog.com/docs/product-analytics/identify (anonymous and identified ids, aliases)
-- params: $account, the group type that is the customer account
-- Whose an id is: see `posthog.posthog`. Where it cannot be known, an id with the shape of a UUID is a device, because
-- every PostHog client makes its anonymous ids that way; identify and alias calls then say whose device it is.
WITH opened AS (
    SELECT
        *,
        CASE WHEN left(ltrim(properties, e' \t\r\n'), 1) = '{' THEN TRY(json_keys(properties)) END AS names,
        CASE WHEN names IS NOT NULL THEN json_extract_string(properties, '$.*') END AS texts
    FROM given
),
looked_into AS (
    SELECT
        *,
        -- Values are looked up in the list of them that is needed anyway: a structure would be one more look at the text.
        {
            '$device_id': texts[list_position(names, '$device_id')],
            '$anon_distinct_id': texts[list_position(names, '$anon_distinct_id')],
            '$user_id': texts[list_position(names, '$user_id')],
            '$is_identified': texts[list_position(names, '$is_identified')],
            '$process_person_profile': texts[list_position(names, '$process_person_profile')],
            'alias': texts[list_position(names, 'alias')],
            '$groups': texts[list_position(names, '$groups')],
            '$group_type': texts[list_position(names, '$group_type')],
            '$group_key': texts[list_position(names, '$group_key')],
            '$current_url': texts[list_position(names, '$current_url')],
            '$referrer': texts[list_position(names, '$referrer')],
            '$screen_name': texts[list_position(names, '$screen_name')],
            '$session_id': texts[list_position(names, '$session_id')],
            '$raw_user_agent': texts[list_position(names, '$raw_user_agent')],
            '$user_agent': texts[list_position(names, '$user_agent')],
            '$ip': texts[list_position(names, '$ip')],
            '$time': texts[list_position(names, '$time')],
            '$group_set': TRY(from_json(texts[list_position(names, '$group_set')], '"MAP(VARCHAR, VARCHAR)"')),
            '$set': TRY(from_json(texts[list_position(names, '$set')], '"MAP(VARCHAR, VARCHAR)"')),
            '$set_once': TRY(from_json(texts[list_position(names, '$set_once')], '"MAP(VARCHAR, VARCHAR)"'))
        } AS p
    FROM opened
),
named AS (
    SELECT
        *,
        p."$device_id" AS own_device,
        p."$anon_distinct_id" AS anonymous,
        CASE
            WHEN member IS NOT NULL THEN 'person'
            WHEN event IN ('$identify', '$set') THEN 'identify'
            WHEN event IN ('$create_alias', '$merge_dangerously') THEN 'alias'
            WHEN event = '$groupidentify' THEN 'group'
            ELSE 'event'
        END AS call,
        regexp_full_match(distinct_id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AS like_anonymous,
        CASE
            WHEN call = 'identify' OR call = 'alias' THEN TRUE
            WHEN p."$is_identified" = 'false' THEN FALSE
            WHEN p."$user_id" <> '' OR p."$is_identified" = 'true' THEN TRUE
            WHEN coalesce(own_device, anonymous) IS NOT NULL THEN distinct_id <> coalesce(own_device, anonymous)
            WHEN p."$process_person_profile" = 'false' THEN FALSE
            ELSE NOT like_anonymous
        END AS identified
    FROM looked_into
),
-- Clients differ in which of the two ids they pass as the alias: the one that looks like a person's own stays.
settled AS (
    SELECT
        *,
        call = 'alias' AND like_anonymous
            AND NOT regexp_full_match(p.alias, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AS turned,
        CASE WHEN turned THEN p.alias ELSE distinct_id END AS person,
        -- Servers send events under the same id without saying that it is a person's: they are this person's.
        unnest(CASE
            -- What is known is said of PostHog's own id: a browser may by now be another person's. Whose an id is has no time.
            WHEN outcome IS NULL AND call = 'person' THEN [FALSE, TRUE]
            WHEN outcome IS NULL AND like_anonymous AND NOT turned
                AND (call = 'alias' OR call = 'identify' AND coalesce(anonymous, own_device) <> distinct_id)
            THEN [FALSE, TRUE] ELSE [FALSE] END) AS again
    FROM named
),
listed AS (
    SELECT
        *,
        -- A name that is there already, if only as null, stays as it is. "$direct" is a visit from nowhere.
        list_filter(
            [
                {'key': 'url', 'value': p."$current_url"},
                {'key': 'referrer', 'value': nullif(p."$referrer", '$direct')},
                {'key': 'title', 'value': p."$screen_name"},
                {'key': 'session_id', 'value': p."$session_id"}
            ],
            lambda e: e.value <> '' AND NOT list_contains(names, e.key)
        ) AS more
    FROM settled
),
whole AS (
    SELECT
        *,
        CASE WHEN outcome IS NULL AND call = 'event' AND names IS NOT NULL
            THEN list_concat(names, list_transform(more, lambda e: e.key)) END AS property_names,
        CASE WHEN property_names IS NOT NULL THEN list_concat(texts, list_transform(more, lambda e: e.value)) END AS property_texts
    FROM listed
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome IS NOT NULL THEN outcome
        WHEN again OR call = 'person' THEN 'identify'
        WHEN call = 'event' AND names IS NULL AND properties IS NOT NULL THEN 'unusable properties'
        ELSE call
    END AS outcome,
    CASE event WHEN '$pageview' THEN 'Page Viewed' WHEN '$screen' THEN 'Screen Viewed' ELSE event END AS event,
    CASE
        WHEN call = 'person' AND NOT again THEN member
        WHEN identified AND call <> 'group' THEN person
    END AS user_raw,
    CASE
        WHEN call = 'person' AND NOT again THEN NULL
        WHEN again AND call <> 'person' THEN person
        WHEN call IN ('alias', 'group') THEN NULL
        WHEN NOT identified THEN distinct_id
        WHEN call = 'identify' THEN coalesce(anonymous, own_device, CASE WHEN like_anonymous THEN distinct_id END)
        ELSE coalesce(own_device, anonymous)
    END AS device_raw,
    CASE
        WHEN call <> 'group' THEN TRY(json_extract_string(p."$groups", '$."' || $account || '"'))
        WHEN p."$group_type" = $account THEN p."$group_key"
    END AS account_raw,
    CASE
        WHEN call = 'person' AND again THEN member
        WHEN call = 'alias' AND NOT again THEN CASE WHEN turned THEN distinct_id ELSE p.alias END
    END AS alias_raw,
    uuid AS message_id,
    content,
    CASE WHEN again AND call = 'person' THEN NULL ELSE happened_at END AS occurred_at,
    -- browsers say when it was by their clock, in seconds: of all copies the same, while each is corrected anew
    coalesce(TRY(make_timestamp(CAST(round(TRY_CAST(p."$time" AS DOUBLE) * 1000) AS BIGINT) * 1000)), client_at) AS client_at,
    arrived_at AS received_at,
    property_names,
    property_texts,
    CASE
        WHEN again THEN NULL
        WHEN call = 'group' THEN p."$group_set"
        WHEN said IS NOT NULL THEN said
        WHEN known IS NOT NULL THEN known
        WHEN p."$set" IS NULL THEN p."$set_once"
        WHEN p."$set_once" IS NULL THEN p."$set"
        ELSE map_concat(p."$set_once", p."$set")
    END AS traits,
    coalesce(p."$raw_user_agent", p."$user_agent") AS user_agent,
    p."$ip" AS address
FROM whole
