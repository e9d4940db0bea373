-- The bridge of the months looked at.
--
-- grain:  one row per account and month.
-- inputs: bridge(start_day, and others): the bridge of some months more.
--         wanted(grain, start_day): the periods looked at.
SELECT bridge.*
FROM bridge
SEMI JOIN wanted ON wanted.start_day = bridge.start_day
