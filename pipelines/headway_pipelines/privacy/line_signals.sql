-- Signals of the browser among the headers that a line holds: Sec-GPC (Global Privacy Control) and DNT (Do Not Track).
-- grain:  one row per line with a signal that is set
-- inputs: frames(batch, line, position, text)
-- source: https://www.w3.org/TR/gpc (Sec-GPC: 1), https://www.w3.org/TR/tracking-dnt (DNT: 1)
-- Of recorded requests the headers are read alone: what calls say of themselves is not the request's. Of other JSON the
-- whole line is read: inside a text quotes are escaped, so that only names of members match. In an access log what
-- follows the user agent is read, as name=value or name: value.
WITH read AS (
    SELECT
        batch, line,
        CASE
            WHEN left(ltrim(text, e' \t\r\n'), 1) <> '{'
                THEN regexp_extract(text, '" [0-9]{3} (?:[0-9]+|-)(?: "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*")?(.*)$', 1)
            WHEN contains(text, '"headers"') THEN coalesce(TRY(json_extract(text, '$.headers'))::VARCHAR, text)
            ELSE text
        END AS headers
    FROM frames
    -- few lines have one: the rest is not looked at more closely
    WHERE regexp_matches(text, '(?i)gpc|dnt|globalprivacycontrol|do_?not_?track')
),
told AS (
    SELECT
        batch, line,
        regexp_matches(headers, '(?i)(?:^|["'' ])\$?(?:http_)?(?:sec[-_])?(?:gpc|globalprivacycontrol)"?\s*[:=,]\s*(?:"value"\s*:\s*)?\[?"?(?:1|true|yes)(?:[^0-9A-Za-z]|$)') AS gpc,
        regexp_matches(headers, '(?i)(?:^|["'' ])\$?(?:http_)?(?:dnt|do_?not_?track)"?\s*[:=,]\s*(?:"value"\s*:\s*)?\[?"?(?:1|true|yes)(?:[^0-9A-Za-z]|$)') AS dnt
    FROM read
)
SELECT batch, line, bool_or(gpc) AS gpc, bool_or(dnt) AS dnt
FROM told
WHERE gpc OR dnt
GROUP BY batch, line
