-- Of whom something else is said than before, and since when.
-- grain:  one row per person or account
-- inputs: before, now(who, valid_from, and properties): a history of properties
SELECT who, coalesce(epoch_us(min(valid_from)), 0) AS since_us
FROM (
    (FROM before EXCEPT FROM now)
    UNION ALL
    (FROM now EXCEPT FROM before)
)
GROUP BY who
