-- How many events a metric had to leave out for one reason.
--
-- grain:  one row.
-- inputs: dropped: the events.
SELECT count(*) AS n_events
FROM dropped
