-- Web server access logs (common and combined log format of Apache and nginx) as events of the common shape.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- source: https://httpd.apache.org/docs/current/logs.html#accesslog
-- params: $site, scheme and host of the served site, or NULL; $path_template, the template that r.path fits, or NULL
-- Who asked is not known: the actor is address + user agent + UTC day, a device for that day. The authenticated user
-- and whatever a server appends after the user agent (often forwarded addresses) are read by nobody.
WITH parsed AS (
    SELECT
        batch, line, position, text,
        regexp_extract(
            text,
            '^(\S+) (?:- .*?|\S+ \S+) \[([^\]]{10,40})\] "((?:[^"\\]|\\.)*)" ([0-9]{3}) ([0-9]+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(?: .*)?)?\s*$',
            ['address', 'time', 'request', 'status', 'bytes', 'referrer', 'agent']
        ) AS p
    FROM frames
),
timed AS (
    SELECT
        *,
        CAST(try_strptime(p.time, '%d/%b/%Y:%H:%M:%S %z') AS TIMESTAMP) AS requested_at,
        -- a request line that is no HTTP (a probe, a TLS greeting) has neither method nor path
        regexp_extract(
            p.request, '^([A-Z]{3,20}) (?:https?://[^/ ?#]*)?((/[^ ?#]*|\*)[^ ]*)(?: HTTP/[0-9.]+)?$', ['method', 'target', 'path']
        ) AS r
    FROM parsed
)
SELECT
    batch, line, position,
    CASE
        WHEN p.address <> '' AND requested_at IS NOT NULL THEN 'event'
        WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
        ELSE 'not an access log line'
    END AS outcome,
    'Page Requested' AS event,
    CASE WHEN p.address <> '' THEN concat_ws(e'\x1f', p.address, p.agent, strftime(requested_at, '%Y-%m-%d')) END AS device_raw,
    text AS content,
    requested_at AS occurred_at,
    requested_at AS client_at,
    map_from_entries(list_filter(
        [
            {'key': 'method', 'value': r.method},
            {'key': 'path', 'value': r.path},
            {'key': 'path_template', 'value': $path_template},
            {'key': 'url', 'value': $site || nullif(r.target, '')},
            {'key': 'status', 'value': p.status},
            {'key': 'bytes', 'value': nullif(p.bytes, '-')},
            {'key': 'referrer', 'value': nullif(p.referrer, '-')},
            {'key': 'user_agent', 'value': nullif(p.agent, '-')}
        ],
        lambda e: e.value <> ''
    )) AS properties,
    nullif(p.agent, '-') AS user_agent,
    p.address AS address
FROM timed
