-- Snowplow's enriched events, 131 columns of tab separated text without header and without quoting.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- source: https://docs.snowplow.io/docs/fundamentals/canonical-event/understanding-the-enriched-tsv-format/
-- params: $width, the number of columns; $chosen, places of the columns kept as properties, and $chosen_names, what those
--         are called; every other parameter is the place of the column of that name, counted from 1
-- Values never hold a tab or a line break (they were made blanks), and quotes mean nothing.
WITH split AS (
    SELECT batch, line, position, text, string_split(text, e'\t') AS cells FROM frames
),
judged AS (
    SELECT
        batch, line, position, text,
        CASE
            WHEN len(cells) = $width THEN 'event'
            WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
            WHEN len(cells) < $width THEN 'too few columns'
            ELSE 'too many columns'
        END AS outcome,
        CASE WHEN len(cells) = $width THEN cells END AS cells
    FROM split
)
SELECT
    batch, line, position, outcome,
    text AS content,
    cells[$event] AS event,
    cells[$event_name] AS event_name,
    cells[$user_id] AS user_id,
    cells[$domain_userid] AS domain_userid,
    cells[$network_userid] AS network_userid,
    cells[$domain_sessionid] AS domain_sessionid,
    cells[$event_id] AS event_id,
    -- the last one, with the end of the line
    TRY_CAST(trim(cells[$true_tstamp], e'\r\n') AS TIMESTAMP) AS true_tstamp,
    TRY_CAST(cells[$derived_tstamp] AS TIMESTAMP) AS derived_tstamp,
    TRY_CAST(cells[$dvce_created_tstamp] AS TIMESTAMP) AS dvce_created_tstamp,
    TRY_CAST(cells[$dvce_sent_tstamp] AS TIMESTAMP) AS dvce_sent_tstamp,
    TRY_CAST(cells[$collector_tstamp] AS TIMESTAMP) AS collector_tstamp,
    cells[$useragent] AS user_agent,
    cells[$user_ipaddress] AS address,
    list_zip($chosen_names, list_select(cells, $chosen)) AS atomic,
    cells[$se_category] AS se_category,
    cells[$se_action] AS se_action,
    cells[$unstruct_event] AS unstruct_event,
    cells[$contexts] AS contexts,
    cells[$derived_contexts] AS derived_contexts
FROM judged
