-- PostHog events, from an export or from a client's request, as events of the common shape.
-- grain:  one row per call given; two for a call that names a person by an id that looks like an anonymous one
-- inputs: given(batch, line, position, outcome, content, uuid, event, distinct_id, properties, said, happened_at, client_at, arrived_at)
--         outcome is NULL where there is a call; said holds the person properties that come beside it
-- source: https://posthog.com/docs/product-analytics/identify (anonymous and identified ids, aliases)
-- params: $account, the group type that is the customer account
-- Whose an id is: see `posthog.posthog`. Where it cannot be known, an id with the shape of a UUID is a device, because
-- every PostHog client makes its anonymous ids that way; identify and alias calls then say whose device it is.
WITH named AS (
    SELECT
        *,
        properties['$device_id'] AS own_device,
        properties['$anon_distinct_id'] AS anonymous,
        properties['alias'] AS alias,
        CASE
            WHEN event IN ('$identify', '$set') THEN 'identify'
            WHEN event IN ('$create_alias', '$merge_dangerously') THEN 'alias'
            WHEN event = '$groupidentify' THEN 'group'
            ELSE 'event'
        END AS call,
        regexp_full_match(distinct_id, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AS like_anonymous,
        regexp_full_match(alias, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AS alias_like_anonymous
    FROM given
),
known AS (
    SELECT
        *,
        -- clients differ in which of the two ids they pass as the alias: the one that looks like a person's own stays
        CASE WHEN call = 'alias' AND like_anonymous AND NOT alias_like_anonymous THEN alias ELSE distinct_id END AS person,
        CASE
            WHEN call = 'identify' OR call = 'alias' THEN TRUE
            WHEN properties['$is_identified'] = 'false' THEN FALSE
            WHEN properties['$user_id'] <> '' OR properties['$is_identified'] = 'true' THEN TRUE
            WHEN coalesce(own_device, anonymous) IS NOT NULL THEN distinct_id <> coalesce(own_device, anonymous)
            WHEN properties['$process_person_profile'] = 'false' THEN FALSE
            ELSE NOT like_anonymous
        END AS identified
    FROM named
),
made AS (
    SELECT
        batch, line, position,
        coalesce(outcome, call) AS outcome,
        CASE event WHEN '$pageview' THEN 'Page Viewed' WHEN '$screen' THEN 'Screen Viewed' ELSE event END AS event,
        CASE WHEN identified AND call <> 'group' THEN person END AS user_raw,
        CASE
            WHEN call IN ('alias', 'group') THEN NULL
            WHEN NOT identified THEN distinct_id
            WHEN call = 'identify' THEN coalesce(anonymous, own_device, CASE WHEN like_anonymous THEN distinct_id END)
            ELSE coalesce(own_device, anonymous)
        END AS device_raw,
        CASE
            WHEN call <> 'group' THEN TRY(json_extract_string(properties['$groups'], '$."' || $account || '"'))
            WHEN properties['$group_type'] = $account THEN properties['$group_key']
        END AS account_raw,
        CASE WHEN call = 'alias' THEN CASE WHEN person = alias THEN distinct_id ELSE alias END END AS alias_raw,
        uuid AS message_id,
        content,
        happened_at AS occurred_at, client_at, arrived_at AS received_at,
        CASE WHEN outcome IS NULL AND call = 'event' THEN map_concat(
            map_from_entries(list_filter(
                [
                    {'key': 'url', 'value': properties['$current_url']},
                    -- a visit from nowhere
                    {'key': 'referrer', 'value': nullif(properties['$referrer'], '$direct')},
                    {'key': 'title', 'value': properties['$screen_name']},
                    {'key': 'session_id', 'value': properties['$session_id']}
                ],
                lambda e: e.value <> ''
            )),
            properties
        ) END AS properties,
        CASE
            WHEN outcome IS NOT NULL THEN NULL
            WHEN call = 'group' THEN TRY(from_json(properties['$group_set'], '"MAP(VARCHAR, VARCHAR)"'))
            WHEN said IS NOT NULL OR properties['$set'] IS NOT NULL OR properties['$set_once'] IS NOT NULL THEN map_concat(
                TRY(from_json(properties['$set_once'], '"MAP(VARCHAR, VARCHAR)"')),
                TRY(from_json(properties['$set'], '"MAP(VARCHAR, VARCHAR)"')),
                said
            )
        END AS traits,
        coalesce(properties['$raw_user_agent'], properties['$user_agent']) AS user_agent,
        properties['$ip'] AS address,
        outcome IS NULL AND identified AND call IN ('identify', 'alias') AND device_raw IS DISTINCT FROM person
            AND regexp_full_match(person, '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') AS also_a_device
    FROM known
)
SELECT * EXCLUDE (also_a_device) FROM made
UNION ALL BY NAME
-- Servers send events under the same id without saying that it is a person's: they are this person's.
SELECT
    batch, line, position, 'identify' AS outcome, event, user_raw, user_raw AS device_raw, content,
    occurred_at, client_at, received_at
FROM made
WHERE also_a_device
