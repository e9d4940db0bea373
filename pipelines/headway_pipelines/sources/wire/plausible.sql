-- Recorded HTTP requests of Plausible's script (POST /api/event), as events of the common shape.
-- grain:  one row per framed line
-- inputs: requests(batch, line, position, text, request, final, received_at), see requests.sql and REQUEST in plausible.py
-- source: https://plausible.io/docs/events-api (fields; the script sends their first letters)
-- The script sets no id and tells no time: an event happened when its request arrived, and who acts is a device for one
-- UTC day, named by network address and user agent together.
WITH told AS (
    SELECT
        *,
        coalesce(request.body.n, request.body.name) AS name,
        -- an object, or its JSON text
        coalesce(request.body.p, request.body.props, request.body.m, request.body.meta) AS given,
        CASE json_type(given) WHEN 'VARCHAR' THEN json_extract_string(given, '$') ELSE CAST(given AS VARCHAR) END AS props_text,
        coalesce(request.body."$", request.body.revenue) AS given_revenue,
        CASE json_type(given_revenue) WHEN 'VARCHAR' THEN json_extract_string(given_revenue, '$') ELSE CAST(given_revenue AS VARCHAR) END
            AS revenue_text,
        request.headers."user-agent" AS agent,
        -- the nearest to the browser is the first of a chain of proxies
        nullif(trim(split_part(coalesce(request.headers."x-plausible-ip", request.headers."x-forwarded-for"), ',', 1)), '') AS address
    FROM requests
),
read AS (
    SELECT
        *,
        CASE WHEN json_valid(props_text) AND json_type(props_text) = 'OBJECT' THEN TRY(from_json(props_text, '"MAP(VARCHAR, VARCHAR)"')) END AS props,
        CASE WHEN json_valid(revenue_text) THEN TRY(from_json(revenue_text, '{"amount": "VARCHAR", "currency": "VARCHAR"}')) END AS revenue
    FROM told
)
SELECT
    batch, line, position,
    CASE
        WHEN final IS NOT NULL THEN final
        WHEN name IS NULL THEN 'not a tracker request'
        WHEN props IS NULL AND json_type(given) <> 'NULL' AND props_text <> '' THEN 'unusable properties'
        ELSE 'event'
    END AS outcome,
    CASE name WHEN 'pageview' THEN 'Page Viewed' ELSE name END AS event,
    CASE WHEN coalesce(address, agent) IS NOT NULL THEN
        concat_ws(e'\x1f', coalesce(address, ''), coalesce(agent, ''), strftime(received_at, '%Y-%m-%d')) END AS device_raw,
    text AS content,
    received_at AS occurred_at,
    received_at,
    map_from_entries(list_concat(
        list_filter(
            [('url', coalesce(request.body.u, request.body.url)), ('referrer', coalesce(request.body.r, request.body.referrer)),
                ('domain', coalesce(request.body.d, request.body.domain)),
                ('revenue_amount', revenue.amount), ('revenue_currency', revenue.currency)],
            lambda e: e[2] <> '' AND list_contains(map_keys(props), e[1]) IS NOT TRUE
        ),
        map_entries(props)
    )) AS properties,
    agent AS user_agent,
    address
FROM read
