-- When the last event happened.
--
-- grain:  one row.
-- inputs: events(person UUID, occurred_at TIMESTAMP UTC).
-- params: known: instant of the last event known before, microseconds since 1970 UTC; older ones are not looked at.
-- Null where neither that one nor a later one is there.
SELECT epoch_us(max(occurred_at)) AS last_us
FROM events
WHERE person IS NOT NULL AND occurred_at >= make_timestamp($known)
