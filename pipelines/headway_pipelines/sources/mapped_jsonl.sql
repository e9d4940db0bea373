-- JSON objects, one a line, as mapped.sql reads them.
-- grain:  one row per framed line
-- inputs: frames(batch, line, position, text)
-- fields: top-level name -> text; nested values stay JSON text
SELECT
    batch, line, position,
    CASE
        WHEN fields IS NOT NULL THEN 'event'
        WHEN trim(text, e' \t\r\n') = '' THEN 'blank'
        WHEN NOT json_valid(text) THEN 'malformed JSON'
        WHEN json_type(text) <> 'OBJECT' THEN 'not a JSON object'
        ELSE 'a name occurs twice'
    END AS outcome,
    text AS content,
    fields
FROM (
    SELECT
        *,
        CASE WHEN left(ltrim(text, e' \t\r'), 1) = '{' THEN TRY(from_json(text, '"MAP(VARCHAR, VARCHAR)"')) END AS fields
    FROM frames
)
