-- Events of a cohort, of whose starts only the first of each person, ever, counts.
--
-- grain:  one row per row of events_read.
-- inputs: events_read(person, us, is_start): events, of which earlier ones may be missing.
--         firsts(person, us): when each person started first.
SELECT events_read.* REPLACE (events_read.is_start AND firsts.person IS NOT NULL AS is_start)
FROM events_read
LEFT JOIN firsts ON firsts.person = events_read.person AND firsts.us = events_read.us
