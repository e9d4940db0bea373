-- What was said of people or of accounts, and when: of a value that is repeated, the first and the last time of a day,
-- or of a minute.
-- grain:  one row per batch, subject, property, value and instant
-- inputs: stated(_batch, _subject, _by_minute, _slot, _first, _last, one column a property), see trait_rows.sql
WITH ends AS (
    SELECT _batch, _subject, _property, _value, _by_minute, _slot, min(_first) AS _first, max(_last) AS _last
    FROM (UNPIVOT stated ON COLUMNS(* EXCLUDE (_batch, _subject, _by_minute, _slot, _first, _last)) INTO NAME _property VALUE _value)
    GROUP BY ALL
)
SELECT DISTINCT
    _batch AS batch, _subject AS subject, _property AS property, _value AS value, _by_minute AS by_minute,
    make_timestamp(_end.at) AS valid_from,
    CASE WHEN _end.received < 4611686018427387904 THEN make_timestamp(_end.received) END AS received_at
FROM (SELECT *, unnest([_first, {'at': _last.at, 'received': -_last.received}]) AS _end FROM ends)
ORDER BY ALL
