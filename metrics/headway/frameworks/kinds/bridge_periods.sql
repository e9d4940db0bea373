-- Months in which everything before the month that precedes the first one looked at counts as that month's.
--
-- grain:  one row per local day of the log.
-- inputs: every(grain, day, start_day): the periods of each local day.
--         wanted(grain, start_day): the periods looked at.
-- A bridge asks of earlier months only what was said last, whether anything was ever paid, and by whom it was said first:
-- all of that is the same where they are one month.
SELECT
  every.grain AS grain,
  every.day AS day,
  greatest(every.start_day, kept.start_day) AS start_day
FROM every
CROSS JOIN (
  SELECT max(start_day) AS start_day
  FROM every
  WHERE start_day < (SELECT min(start_day) FROM wanted)
) AS kept
