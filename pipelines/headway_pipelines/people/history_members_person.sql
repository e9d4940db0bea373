-- Users and devices that were at any time those of people whose history is put together again.
-- grain:  one row per actor
-- inputs: history_touched(person); actor_person, device_spans, strangers (actor, person)
SELECT person AS actor FROM history_touched
UNION
SELECT actor FROM actor_person SEMI JOIN history_touched USING (person)
UNION
SELECT actor FROM device_spans SEMI JOIN history_touched USING (person)
UNION
SELECT actor FROM strangers SEMI JOIN history_touched USING (person)
