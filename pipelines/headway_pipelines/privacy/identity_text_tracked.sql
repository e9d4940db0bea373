-- The text whose keyed hash identifies an event, where every event carries its tracker's own id.
-- grain:  one row per event; n is its row in judged
-- inputs: judged
SELECT rowid AS n, 'id:' || message_id AS text FROM judged WHERE outcome = 'event'
