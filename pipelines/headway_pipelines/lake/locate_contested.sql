-- Where copies are that do not say what the copy says that stays.
-- grain:  one row per event id, at most $most a batch
-- inputs: contested(event_id, kept_batch, kept_line, batch, line)
SELECT batch, line, kept_batch, kept_line
FROM contested
QUALIFY row_number() OVER (PARTITION BY batch ORDER BY line, event_id) <= $most
ORDER BY batch, line, event_id
