-- What was said of people or of accounts, and when: of a value that is repeated, the first and the last time of a day.
-- grain:  one row per batch, subject, property, value and instant
-- inputs: stated(_batch, _subject, _at, _received, one column a property)
-- The first grouping takes rows that say the same all over, as where every event repeats everything; the second takes
-- values. Both keep ends by (valid_from, received_at), which is the same however rows are put into groups.
WITH rows_ends AS (
    SELECT
        * EXCLUDE (_at, _received),
        min({'at': epoch_us(_at), 'received': coalesce(epoch_us(_received), 4611686018427387904)}) AS _first,
        max({'at': epoch_us(_at), 'received': -coalesce(epoch_us(_received), 4611686018427387904)}) AS _last
    FROM (SELECT *, CAST(_at AS DATE) AS _day FROM stated)
    GROUP BY ALL
),
value_ends AS (
    SELECT _batch, _subject, _property, _value, _day, min(_first) AS _first, max(_last) AS _last
    FROM (UNPIVOT rows_ends ON COLUMNS(* EXCLUDE (_batch, _subject, _day, _first, _last)) INTO NAME _property VALUE _value)
    GROUP BY ALL
)
SELECT DISTINCT
    _batch AS batch, _subject AS subject, _property AS property, _value AS value,
    make_timestamp(_end.at) AS valid_from,
    CASE WHEN _end.received < 4611686018427387904 THEN make_timestamp(_end.received) END AS received_at
FROM (SELECT *, unnest([_first, {'at': _last.at, 'received': -_last.received}]) AS _end FROM value_ends)
ORDER BY ALL
