-- Dated statements about people or accounts, from several files together: of a value that is repeated, the first and the
-- last time of a UTC day, or of a minute. The same rows whatever was put together with what before.
-- grain:  one row per subject, property, value and instant
-- inputs: said(subject, property, value, by_minute, valid_from, received_at)
WITH ends AS (
    SELECT
        subject, property, value, by_minute, date_trunc(CASE WHEN by_minute THEN 'minute' ELSE 'day' END, valid_from) AS slot,
        min({'at': epoch_us(valid_from), 'received': coalesce(epoch_us(received_at), 4611686018427387904)}) AS first,
        max({'at': epoch_us(valid_from), 'received': -coalesce(epoch_us(received_at), 4611686018427387904)}) AS last
    FROM said
    GROUP BY ALL
)
SELECT DISTINCT
    subject, property, value, by_minute,
    make_timestamp(e.at) AS valid_from,
    CASE WHEN e.received < 4611686018427387904 THEN make_timestamp(e.received) END AS received_at
FROM (SELECT *, unnest([first, {'at': last.at, 'received': -last.received}]) AS e FROM ends)
ORDER BY ALL
