-- When the last event happened.
--
-- grain:  one row.
-- inputs: recent(person UUID, occurred_at TIMESTAMP UTC): events from the last one on that was known, and others.
-- params: known: instant of the last event known before, microseconds since 1970 UTC.
-- Null where neither that one nor a later one is there.
SELECT epoch_us(max(occurred_at)) AS last_us
FROM recent
WHERE occurred_at >= make_timestamp($known)
