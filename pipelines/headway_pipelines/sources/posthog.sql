-- PostHog events, from an export or from a client's request, as events of the common shape.
-- grain:  one row per call given; two for a call that names a person by an id that looks like an anonymous one
-- inputs: given(batch, line, position, outcome, content, uuid, event, distinct_id, properties, said, happened_at, client_at, arrived_at)
--         outcome is NULL where there is a call; properties is JSON text; said holds person properties from beside them
-- source: https://posthog.com/docs/product-analytics/identify (anonymous and identified ids, aliases)
-- params: $account, the group type that is the customer account
-- Whose an id is: see `posthog.posthog`. Where it cannot be known, an id with the shape of a UUID is a device, because
-- every PostHog client makes its anonymous ids that way; identify and alias calls then say whose device it is.
WITH looked_into AS (
    SELECT
        *,
        -- A structure costs a tenth of what a MAP does, and events carry a hundred properties.
        TRY(from_json(properties, '{
            "$device_id": "VARCHAR", "$anon_distinct_id": "VARCHAR", "$user_id": "VARCHAR", "$is_identified": "VARCHAR",
            "$process_person_profile": "VARCHAR", "alias": "VARCHAR", "$groups": "JSON",
            "$group_type": "VARCHAR", "$group_key": "VARCHAR", "$group_set": "MAP(VARCHAR, VARCHAR)",
            "$set": "MAP(VARCHAR, VARCHAR)", "$set_once": "MAP(VARCHAR, VARCHAR)",
            "$current_url": "VARCHAR", "$referrer": "VARCHAR", "$screen_name": "VARCHAR", "$session_id": "VARCHAR",
            "url": "VARCHAR", "referrer": "VARCHAR", "title": "VARCHAR", "session_id": "VARCHAR",
            "$raw_user_agent": "VARCHAR", "$user_agent": "VARCHAR", "$ip": "VARCHAR", "$time": "VARCHAR"}')) AS p
    FROM given
),
named AS (
    SELECT
        *,
        p."$device_id" AS own_device,
        p."$anon_distinct_id" AS anonymous,
        CASE
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
            WHEN outcome IS NULL AND like_anonymous AND NOT turned
                AND (call = 'alias' OR call = 'identify' AND coalesce(anonymous, own_device) <> distinct_id)
            THEN [FALSE, TRUE] ELSE [FALSE] END) AS again
    FROM named
)
SELECT
    batch, line, position,
    CASE
        WHEN outcome IS NOT NULL THEN outcome
        WHEN again THEN 'identify'
        WHEN call = 'event' AND shown IS NULL AND properties IS NOT NULL THEN 'unusable properties'
        ELSE call
    END AS outcome,
    CASE event WHEN '$pageview' THEN 'Page Viewed' WHEN '$screen' THEN 'Screen Viewed' ELSE event END AS event,
    CASE WHEN identified AND call <> 'group' THEN person END AS user_raw,
    CASE
        WHEN again THEN person
        WHEN call IN ('alias', 'group') THEN NULL
        WHEN NOT identified THEN distinct_id
        WHEN call = 'identify' THEN coalesce(anonymous, own_device, CASE WHEN like_anonymous THEN distinct_id END)
        ELSE coalesce(own_device, anonymous)
    END AS device_raw,
    CASE
        WHEN call <> 'group' THEN json_extract_string(p."$groups", '$."' || $account || '"')
        WHEN p."$group_type" = $account THEN p."$group_key"
    END AS account_raw,
    CASE WHEN call = 'alias' AND NOT again THEN CASE WHEN turned THEN distinct_id ELSE p.alias END END AS alias_raw,
    uuid AS message_id,
    content,
    happened_at AS occurred_at,
    -- browsers say when it was by their clock, in seconds: of all copies the same, while each is corrected anew
    coalesce(TRY(make_timestamp(CAST(round(TRY_CAST(p."$time" AS DOUBLE) * 1000) AS BIGINT) * 1000)), client_at) AS client_at,
    arrived_at AS received_at,
    shown AS properties,
    CASE
        WHEN again THEN NULL
        WHEN call = 'group' THEN p."$group_set"
        WHEN said IS NOT NULL THEN said
        WHEN p."$set" IS NULL THEN p."$set_once"
        WHEN p."$set_once" IS NULL THEN p."$set"
        ELSE map_concat(p."$set_once", p."$set")
    END AS traits,
    coalesce(p."$raw_user_agent", p."$user_agent") AS user_agent,
    p."$ip" AS address
FROM (
    SELECT
        *,
        -- What is added is added to the text: making a MAP is what costs. A name that is there already, if only as
        -- null, makes no MAP with a second one: then the properties stay as they are.
        CASE WHEN outcome IS NULL AND call = 'event' AND p IS NOT NULL THEN coalesce(
            TRY(from_json('{' || concat(
                '"url":' || to_json(CASE WHEN p.url IS NULL THEN nullif(p."$current_url", '') END) || ',',
                -- "$direct" is a visit from nowhere
                '"referrer":' || to_json(CASE WHEN p.referrer IS NULL AND p."$referrer" NOT IN ('', '$direct') THEN p."$referrer" END) || ',',
                '"title":' || to_json(CASE WHEN p.title IS NULL THEN nullif(p."$screen_name", '') END) || ',',
                '"session_id":' || to_json(CASE WHEN p.session_id IS NULL THEN nullif(p."$session_id", '') END) || ','
            ) || ltrim(properties, e' \t\r\n{'), '"MAP(VARCHAR, VARCHAR)"')),
            TRY(from_json(properties, '"MAP(VARCHAR, VARCHAR)"'))
        ) END AS shown
    FROM settled
)
