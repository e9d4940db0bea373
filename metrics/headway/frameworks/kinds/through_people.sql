-- People by their first start ever, and whether they take all steps after it in order.
--
-- grain:  one row per person who started.
-- inputs: standing(person, day, start_us, moment, us): when the person took the last step, null where never.
SELECT person, day, start_us, moment, CASE WHEN us IS NULL THEN 0 ELSE 1 END AS y
FROM standing
